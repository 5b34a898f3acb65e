"""Training of the deepfake detector: data, recipes, fit, evaluate, blend.

Keras 3 without a word of any backend, so the same code trains with TensorFlow, JAX or PyTorch
(KERAS_BACKEND). Pictures are opened, searched for faces and cropped by the functions of `deepfake_detect`
that serve them.
"""

import deepfake_detect  # noqa: F401  before onnxruntime
