"""What has to happen before Gradio is imported: it is told of the folder for uploads, and starts more quickly; and what
has to happen before there are threads.

Gradio reads the folder's name and the port when it is imported, in some of its parts.

While Gradio is imported it parses its own source once for each component and writes a .pyi file beside it, for editors,
which takes half of the import's time and needs a writable installation. Nothing that runs reads those files.
"""

import ctypes
import os
import platform
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from detect import texts
from page.uploads import upload_folder

try:
    UPLOADS = upload_folder()
except OSError as error:
    sys.exit(texts.NO_START.format(error.filename, error.strerror))
PORT = os.environ.get("GRADIO_SERVER_PORT", "7860")
if not (PORT.isdecimal() and 0 < int(PORT) < 2**16):
    sys.exit(texts.NO_PORT.format(PORT))
WRITER = "gradio.component_meta"
# glibc gives threads eight arenas a core, and each of them keeps tens of megabytes of the pictures that were in it.
if platform.libc_ver()[0] == "glibc":
    M_ARENA_MAX = -8
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


class _WithoutStubs(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != WRITER:
            return None
        spec = PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            module.create_or_modify_pyi = lambda *component: None

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, _WithoutStubs())
