"""What has to happen before Gradio is imported, which reads its folder for uploads, its port and some bounds then; and
before there are threads."""

import ctypes
import os
import platform
import sys

from page import texts
from page.server.upload_folder import upload_folder


def is_port(word: str) -> bool:
    """Whether this is the number of a port, in digits."""
    return word.isdecimal() and 0 < int(word) < 2**16


try:
    UPLOADS = upload_folder()
except OSError as error:
    sys.exit(texts.NO_START.format(error.filename, error.strerror))
NAMED_PORT = os.environ.get("GRADIO_SERVER_PORT")  # None where no port is named
if NAMED_PORT is not None and not is_port(NAMED_PORT):
    del os.environ["GRADIO_SERVER_PORT"]  # Gradio could not be imported; whether it matters, the arguments decide
# Gradio recounts its calls at the end of each, for a page of figures that is not shown: 18 ms for 10 000 calls.
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
# glibc gives threads eight arenas a core, and each of them keeps tens of megabytes of the pictures that were in it.
if platform.libc_ver()[0] == "glibc":
    M_ARENA_MAX = -8
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)
