"""How files come in: Gradio hands them over as paths, unread, and never fetches an address."""

import re
from contextlib import suppress
from pathlib import Path

import gradio as gr
from gradio import route_utils
from gradio.components import Component
from gradio.components.label import LabelConfidence, LabelData
from gradio.data_classes import FileData, ImageData, ListFiles
from gradio.route_utils import GradioMultiPartParser
from gradio.utils import get_upload_folder, is_in_or_equal
from gradio_client.utils import is_http_url_like
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException

from detect import Verdict
from detect.album import Named
from detect.explain import WORDS
from detect.records import is_harmless
from detect.verdict import FAKE, REAL

MAX_FIELD = 2**16  # bytes of what comes with the files of an upload; Gradio's own page sends nothing
MAX_NAME = 255  # characters of a file's name; what a program calls its file is not bounded otherwise


def uploaded_file(component: Component, payload: ImageData | FileData | None) -> str | None:
    """What happens to an upload before our functions see it: nothing. They are the first to read it."""
    return _among_uploads(payload.path) if payload and payload.path else None


def uploaded_files(component: Component, payload: ListFiles | FileData | None) -> list[Named]:
    """The same for several files, which keep their names. Gradio would make a temporary file for each."""
    files = [payload] if isinstance(payload, FileData) else payload or ()
    return [Named(_among_uploads(file.path), shown_name(file.orig_name or file.path)) for file in files]


def _among_uploads(path: str) -> str:
    """The path, if it leads to an upload. Gradio looks at that only where a payload says that it is a file, which it
    does not ask of a picture's; or at nothing, where the path is an address."""
    _refuse_address(path)
    if "\0" in path or not is_in_or_equal(path, get_upload_folder()):
        raise gr.Error("Send the file itself, not its name on this server.", print_exception=False)
    return path


def shown_name(path: str) -> str:
    """The last part of a path that a stranger has sent, in signs that may be shown; it is never opened."""
    name = re.split(r"[/\\]", path)[-1][:MAX_NAME]
    return "".join(sign if is_harmless(sign) else "?" for sign in name)


async def refuse_addresses(component: Component, path: str | Path | None) -> str | None:
    """Before a payload reaches `uploaded_file`, Gradio would download an address, of any size."""
    _refuse_address(str(path))
    return await Component.async_move_resource_to_block_cache(component, path)


def _refuse_address(path: str) -> None:
    if is_http_url_like(path):
        raise gr.Error("Send the file itself, not its address.", print_exception=False)


def label_data(component: gr.Label, verdict: Verdict | None) -> LabelData | dict:
    """A Verdict as gr.Label shows it: "Not sure" stands above the two probabilities where the detector is unsure."""
    if verdict is None:
        return {}
    confidences = sorted(((verdict.p_fake, FAKE), (1 - verdict.p_fake, REAL)), reverse=True)
    return LabelData(
        label=WORDS[verdict.label],
        confidences=[LabelConfidence(label=WORDS[name], confidence=p) for p, name in confidences],
    )


class BoundedParser(GradioMultiPartParser):
    """Gradio's parser of uploads, which bounds the files; what is no file it keeps in memory, however large. What had
    come of an upload that was cut off, or for which there was no room, it would leave there."""

    async def parse(self) -> FormData:
        try:
            return await super().parse()
        except BaseException:
            for file in self._files_to_close_on_error:
                with suppress(OSError):  # where the disk is full, what is left to write cannot be
                    file.close()
                Path(file.name).unlink(missing_ok=True)
            raise

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        super().on_part_data(data, start, end)
        if self._current_part.file is None and len(self._current_part.data) > MAX_FIELD:
            raise MultiPartException("A field of this upload is too large.")


route_utils.GradioMultiPartParser = BoundedParser
# Gradio makes components anew in a session, so a changed instance would not last. Hence the classes themselves.
for taken, preprocess in ((gr.Image, uploaded_file), (gr.Video, uploaded_file), (gr.File, uploaded_files)):
    taken.preprocess = preprocess
    taken.async_move_resource_to_block_cache = refuse_addresses
gr.Label.postprocess = label_data
