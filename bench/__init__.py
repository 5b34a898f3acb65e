"""Measured speed: figures of one run, side by side on one machine; ratios carry over to others, milliseconds do not."""

import deepfake_detect  # noqa: F401  before onnxruntime
