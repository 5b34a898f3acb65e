"""How the page's own pictures are saved among the uploads: whole or not at all."""

from pathlib import Path
from threading import Lock

import gradio as gr
from gradio import processing_utils
from PIL import Image

from detect import texts
from detect.files import whole_file

_writing = Lock()  # the same picture has the same name, and Gradio saves in many threads


def save_whole(image: Image.Image, cache_dir: str, name: str = "image", format: str = "webp") -> str:
    """In place of Gradio's function, which leaves the beginning of a file where the disk is full, and says nothing."""
    data = processing_utils.encode_pil_to_bytes(image, format)
    file = Path(cache_dir, processing_utils.hash_bytes(data), f"{name}.{format}").resolve()
    try:
        file.parent.mkdir(exist_ok=True, parents=True)
        with _writing, whole_file(file) as partial:
            partial.write_bytes(data)
    except OSError:
        raise gr.Error(texts.NO_ROOM, print_exception=False) from None
    return str(file)


processing_utils.save_pil_to_cache = save_whole
