"""`python -m train compare`, with export's converter in hand."""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"  # tf2onnx reads TensorFlow graphs

from export.onnx import to_onnx
from train.__main__ import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], to_onnx))
