"""Gradio's components as this page uses them: each takes files as paths, unread, refuses with a sentence what is no
upload, and writes the pictures that it shows whole or not at all.

They reuse the front end of the class that they are made of (`is_template`).
"""

import base64
import binascii
import re
from pathlib import Path
from threading import Lock
from typing import NoReturn
from urllib.parse import quote, unquote

import page.server.gradio_patches  # noqa: F401  before components are made

# isort: split
import gradio as gr
import numpy as np
from gradio import processing_utils
from gradio.components.gallery import GalleryData
from gradio.components.label import LabelConfidence, LabelData
from gradio.data_classes import FileData, ImageData, ListFiles
from gradio.utils import get_upload_folder, is_in_or_equal
from PIL import Image

from deepfake_detect import Verdict
from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.report.sentences import WORDS
from deepfake_detect.verdict import FAKE, NO_FACE, REAL
from page import texts
from page.batch import Named
from page.server.upload_folder import is_full, new_folder

DATA_URL_NAME = "data: URL"  # the name of a file that came in one
MAX_NAME = 255  # characters of a file's name; what a program calls its file is not bounded otherwise
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.I)
_DATA_URL = re.compile(r"data:[^,]*;base64,", re.I)
_WINDOWS_PATH = re.compile(r"[A-Za-z]:\\|\\\\")
EMPTY = """() => {{
    document.querySelector(`#{box} button:is([aria-label*="emove" i], [aria-label*="lear" i])`)?.click();
}}"""
NOTHING = (None, "", {}, [])  # ways to send no file
_writing = Lock()  # the same picture has the same name, and Gradio postprocesses in many threads


class Upload(str):
    """The path of an upload, and the name that its owner gave the file: Gradio keeps only some characters of it."""

    name: str

    def __new__(cls, path: str, name: str = "") -> "Upload":
        upload = super().__new__(cls, path)
        upload.name = base_name(name or path)
        return upload


def base_name(path: str) -> str:
    """The last part of a path that a client has sent, with all its characters; it is never opened. On a page it goes
    through `deepfake_detect.report.names`. A backslash separates folders in paths of Windows alone."""
    folders = r"[/\\]" if _WINDOWS_PATH.match(path) else "/"
    return re.split(folders, path)[-1][:MAX_NAME]


def name_of(upload: str) -> str:
    """The name that the owner of an upload gave it."""
    return upload.name if isinstance(upload, Upload) else base_name(upload)


class Photo(gr.Image):
    """gr.Image for a photograph that is sent."""

    is_template = True
    nothing_sent = texts.NO_PICTURE

    def accept(self, value: object) -> dict | None:
        """See `accepted_upload`. `Page.preprocess_data` calls it before Gradio looks at the value."""
        return accepted_upload(value)

    def preprocess(self, payload: ImageData | None) -> Upload | None:
        """The upload as it is: the page's functions are the first to read it."""
        return _upload(payload)

    def postprocess(self, value: Upload | str | None) -> ImageData | None:
        """An upload again, under the name that its owner gave it; or the path of an example."""
        return ImageData(path=str(value), orig_name=name_of(value)) if value else None


class Film(gr.Video):
    """gr.Video for a video that is sent."""

    is_template = True
    nothing_sent = texts.NO_VIDEO

    def accept(self, value: object) -> dict | None:
        """See `accepted_upload`. `Page.preprocess_data` calls it before Gradio looks at the value."""
        return accepted_upload(value)

    def preprocess(self, payload: FileData | None) -> Upload | None:
        """The upload as it is: the page's functions are the first to read it."""
        return _upload(payload)


class PhotoFiles(gr.File):
    """gr.File for several pictures that are sent, with their names. Gradio would copy each to a temporary file."""

    is_template = True
    nothing_sent = texts.NO_PICTURES

    def accept(self, value: object) -> list[dict] | None:
        """See `accepted_upload`, for each; one file may come without its list."""
        if value in NOTHING:
            return None
        return [accepted_file(file) for file in (value if isinstance(value, list) else [value])]

    def preprocess(self, payload: ListFiles | FileData | None) -> list[Named]:
        files = [payload] if isinstance(payload, FileData) else payload or ()
        return [Named(file.path, base_name(file.orig_name or file.path)) for file in files]


class Pictures(gr.Gallery):
    """gr.Gallery for what the page shows."""

    is_template = True

    def postprocess(self, value: list[tuple[np.ndarray | Image.Image, str]] | None) -> GalleryData:
        """Shows pictures with their captions."""
        saved = [(_saved(picture, self.GRADIO_CACHE, self.format), caption) for picture, caption in value or ()]
        return super().postprocess(saved)


class VerdictLabel(gr.Label):
    """gr.Label for a Verdict: "Not sure" stands above the two probabilities where the detector is unsure. Where there
    is no face, there is nothing to be confident of."""

    is_template = True

    def postprocess(self, value: Verdict | None) -> LabelData | dict | None:
        if value is None:
            return {}
        if not value.faces:
            return LabelData(label=WORDS[NO_FACE], confidences=[])
        confidences = sorted(((value.p_fake, FAKE), (1 - value.p_fake, REAL)), reverse=True)
        return LabelData(
            label=WORDS[value.label],
            confidences=[LabelConfidence(label=WORDS[name], confidence=p) for p, name in confidences],
        )


def accepted_upload(value: object) -> dict | None:
    """A value that a client has sent in the form that Gradio takes, None where there is no file.

    Gradio itself would download an address, checks a path only where the value says that it is a file, and answers
    most of what is neither with a traceback.

    Args:
        value: the path of an upload, as the route for uploads gives it, an object with such a `path`, or a data: URL.

    Raises:
        gr.Error: it is none of these; the message says so.
    """
    if value in NOTHING:
        return None
    if isinstance(value, list):
        refuse(texts.ONE_FILE)
    return accepted_file(value)


def accepted_file(value: object) -> dict:
    """A file in the form that Gradio takes: one that lies among the uploads. Raises gr.Error."""
    name = value.get("orig_name") if isinstance(value, dict) else None
    path = (value.get("path") or value.get("url")) if isinstance(value, dict) else value
    if not isinstance(path, str) or not path:
        refuse(texts.NO_FILE)
    if path[:5].lower() == "data:":
        name, path = DATA_URL_NAME, _unpacked(path)
    elif _ADDRESS.match(path):
        _, _, own = unquote(path).partition("/gradio_api/file=")  # the samples that the list of the API shows
        if not own or not is_upload(own):
            refuse(texts.AN_ADDRESS)
        path = own
    elif not is_upload(path):
        refuse(texts.A_PATH)
    return {
        "path": path,
        "orig_name": name if isinstance(name, str) else None,
        "meta": {"_type": "gradio.FileData"},
    }


def is_upload(path: str) -> bool:
    """Whether a path leads into the folder for uploads, links followed."""
    try:
        Path(path).exists()  # raises for names that no file can have, as it would for Gradio
        return is_in_or_equal(path, get_upload_folder())
    except (OSError, ValueError):
        return False


def refuse(sentence: str) -> NoReturn:
    """Answer a client with a sentence, and write nothing to the log."""
    raise gr.Error(sentence, print_exception=False) from None


def save_whole(picture: Image.Image, folder: str, format: str = "webp") -> str:
    """Write a picture among the uploads, under a name made of its content, and return its path.

    Gradio's function would leave the beginning of a file where the disk is full, and say nothing.

    Raises:
        gr.Error: it cannot be written.
    """
    data = processing_utils.encode_pil_to_bytes(picture, format)
    file = Path(folder, processing_utils.hash_bytes(data), f"image.{format}").resolve()
    try:
        file.parent.mkdir(exist_ok=True, parents=True)
        with _writing, atomic_write(file) as partial:
            partial.write_bytes(data)
    except OSError:
        refuse(texts.NO_ROOM)
    return str(file)


def file_url(path: str | Path) -> str:
    """The address of a file among the uploads, relative to the page."""
    return f"gradio_api/file={quote(str(path))}"


def another_button(words: str, box: str) -> gr.Button:
    """A button that empties the box of this element id, for where a style shows it in the box's place."""
    button = gr.Button(words, size="sm", elem_id=f"another-{box}", elem_classes="another")
    button.click(None, js=EMPTY.format(box=box), api_visibility="private")
    return button


def scroll_to(headline: str) -> str:
    """JavaScript that brings the headline of this element id into view on a narrow screen, if there is one: on a phone
    the answer stands below what was sent, out of sight."""
    return f"""() => {{
    if (window.innerWidth < 768) document.querySelector("#{headline} h2")?.scrollIntoView({{behavior: "smooth"}});
}}"""


def _upload(payload: FileData | None) -> Upload | None:
    return Upload(payload.path, payload.orig_name or "") if payload and payload.path else None


def _saved(picture: np.ndarray | Image.Image | str | Path | None, folder: str, format: str) -> str | Path | None:
    """The path of a picture, which is saved unless it is a path."""
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    return save_whole(picture, folder, format) if isinstance(picture, Image.Image) else picture


def _unpacked(url: str) -> str:
    """The path of a file among the uploads with what a data: URL holds. Raises gr.Error."""
    head = _DATA_URL.match(url)
    if not head:
        refuse(texts.NOT_BASE64)
    try:
        data = base64.b64decode("".join(url[head.end() :].split()), validate=True)
    except (binascii.Error, ValueError):
        refuse(texts.NOT_BASE64)
    try:
        if is_full(Path(get_upload_folder())):
            refuse(texts.UPLOADS_FULL)
        path = new_folder() / "sent"
        path.write_bytes(data)
    except OSError:
        refuse(texts.UPLOADS_FULL)
    return str(path)
