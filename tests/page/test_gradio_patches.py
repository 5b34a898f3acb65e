"""What page/server/gradio_patches.py replaces does in Gradio what is said of it there, and not here. Where one of these
fails because Gradio has become better, its patch can go."""

import subprocess
import sys
from datetime import datetime, timedelta

import gradio as gr
import pytest
from coroutines import result_of
from gradio.state_holder import StateHolder
from project import ROOT
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from waiting import LONG

from page.server import gradio_patches
from page.server.gradio_patches import MAX_FIELD, BoundedParser, Session, Sessions
from page.texts import KEEP_MINUTES

OWN_SESSION = Session.__mro__[1]
OWN_PARSER = BoundedParser.__mro__[1]
HEAD = '--cut\r\nContent-Disposition: form-data; name="files"{}\r\n\r\n'
FILE, FIELD = HEAD.format('; filename="a.jpg"').encode(), HEAD.format("").encode()

pytestmark = pytest.mark.gradio


def test_gradio_writes_stubs_for_editors_and_this_page_does_not(tmp_path):
    (tmp_path / "component.py").write_text("import gradio\nclass Own(gradio.Textbox): pass\n")
    for before, written in (("", True), ("import page.server.gradio_patches; ", False)):
        code = f"{before}import sys; sys.path.insert(0, {str(tmp_path)!r}); import component"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=LONG)
        assert (tmp_path / "component.pyi").exists() == written
        (tmp_path / "component.pyi").unlink(missing_ok=True)
    code = "import gradio, page.widgets.components, pathlib, sys; " \
           "sys.exit(pathlib.Path(page.widgets.components.__file__ + 'i').exists())"  # fmt: skip
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=LONG)


def parsed(parser, folder, *parts):
    """The form that a parser makes of parts; an upload that is cut off where the last of them is an error."""

    async def stream():
        for part in parts:
            if isinstance(part, Exception):
                raise part
            yield part

    headers = Headers({"Content-Type": "multipart/form-data; boundary=cut"})
    return result_of(parser(headers, stream(), upload_dir=folder, max_file_size=2**20).parse())


def test_a_failed_upload_leaves_nothing_and_fields_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # where the parser keeps what is on its way
    for parser, left in ((OWN_PARSER, 1), (BoundedParser, 0)):
        with pytest.raises(ConnectionError):
            parsed(parser, tmp_path, FILE + b"x" * 100, ConnectionError())
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        assert len(files) == left
        for file in files:
            file.unlink()
    field = FIELD, b"x" * (MAX_FIELD + 1), b"\r\n--cut--\r\n"
    assert len(parsed(OWN_PARSER, tmp_path, *field)["files"]) == MAX_FIELD + 1
    with pytest.raises(MultiPartException, match="too large"):
        parsed(BoundedParser, tmp_path, *field)


@pytest.fixture
def demo():
    with gr.Blocks() as demo:
        box, remembered = gr.Textbox(), gr.State()
        box.change(lambda text: text, box, remembered)
    return demo


def test_gradio_keeps_descriptions_and_idle_sessions_and_this_page_does_not(demo, monkeypatch):
    for holder_class, session_class, patched in ((StateHolder, OWN_SESSION, False), (Sessions, Session, True)):
        monkeypatch.setattr(gradio_patches.state_holder, "SessionState", session_class)
        holder = holder_class()
        holder.set_blocks(demo)
        (box,) = (key for key, block in demo.blocks.items() if isinstance(block, gr.Textbox))
        holder["visitor"]._update_value_in_config(box, "what was said of a face")
        assert ("what was said" not in str(holder["visitor"].config_values)) == patched
        holder.time_last_used["visitor"] = datetime.now() - timedelta(minutes=KEEP_MINUTES, seconds=1)
        holder.delete_all_expired_state()
        assert ("visitor" not in holder) == patched


def test_the_patches_are_in_place():
    from gradio import route_utils, routes

    assert routes.StateHolder is Sessions and route_utils.GradioMultiPartParser is BoundedParser
