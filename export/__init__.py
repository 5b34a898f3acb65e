"""A training run -> files that serve."""


class ExportError(RuntimeError):
    """The exported file does not compute what Keras computes."""
