"""Settings of libraries that hold for the whole process. The package imports this first, before onnxruntime."""

import logging
import os
import warnings

import av
import pillow_heif
from PIL import Image

# From 1.29 on, onnxruntime reports what it runs to its maker, by way of files in the user's folder. It reads this once,
# when it is imported, so whatever imports it imports this package first.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

Image.init()  # registers every format; otherwise Pillow does so on its first failure
pillow_heif.register_heif_opener(thumbnails=False)
# Pillow warns of odd metadata and of size, which is checked here. warnings.catch_warnings is not thread-safe.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())  # otherwise what it says goes to standard error
# In bytes. glibc gives what is larger than 32 MB back to the system; Pillow's 16 MB would stay with the thread.
Image.core.set_block_size(64 * 2**20)

av.logging.set_level(None)  # what FFmpeg thinks of a damaged file would go to standard error
