"""A training run -> files that serve."""

import deepfake_detect  # noqa: F401  before onnxruntime


class ExportError(RuntimeError):
    """The exported file does not compute what Keras computes."""
