"""What page/server/gradio_patches.py replaces does in Gradio what is said of it there, and not here. Where one of these
fails because Gradio has become better, its patch can go."""

import asyncio
import subprocess
import sys
import time
from datetime import datetime, timedelta
from functools import partial

import gradio as gr
import pytest
from coroutines import result_of
from gradio.state_holder import StateHolder
from project import ROOT
from servers import free_port
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from waiting import LONG

from page.app import LAUNCH
from page.server import gradio_patches
from page.server.gradio_patches import MAX_FIELD, QUEUE_SECONDS, BoundedParser, Queue, Session, Sessions
from page.texts import KEEP_MINUTES

OWN_SESSION = Session.__mro__[1]
OWN_PARSER = BoundedParser.__mro__[1]
OWN_QUEUE = Queue.__mro__[1]
HEAD = '--cut\r\nContent-Disposition: form-data; name="files"{}\r\n\r\n'
FILE, FIELD = HEAD.format('; filename="a.jpg"').encode(), HEAD.format("").encode()

pytestmark = pytest.mark.gradio


def test_gradio_writes_stubs_for_editors_and_this_page_does_not(tmp_path):
    for name in ("first", "second"):
        (tmp_path / f"{name}.py").write_text("import gradio\nclass Own(gradio.Textbox): pass\n")
    path, own = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); ", "import page.widgets.components; "
    for program, written in ((f"{own}import first", []), (f"import first; {own}import second", ["first.pyi"])):
        subprocess.run([sys.executable, "-c", path + program], cwd=ROOT, check=True, timeout=LONG)
        assert [file.name for file in tmp_path.glob("*.pyi")] == written
    assert not (ROOT / "page" / "widgets" / "components.pyi").exists()


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


async def looks_a_second(queue: OWN_QUEUE) -> float:
    """How often a queue without events looks for some."""
    began = time.monotonic()
    looking = asyncio.create_task(queue.start_processing())
    await asyncio.sleep(1)
    queue.stopped = True
    await looking
    return queue.looks / (time.monotonic() - began)


def test_gradio_looks_for_events_without_a_rest_and_this_page_does_not(demo, monkeypatch):
    """The looks are counted: time of a core would be as long as other programs let it be."""

    def count(queue: OWN_QUEUE) -> int:
        queue.looks = getattr(queue, "looks", 0) + 1
        return 0

    monkeypatch.setattr(OWN_QUEUE, "__len__", count)
    found = {}
    for queue_class in (OWN_QUEUE, Queue):
        monkeypatch.setattr(gradio_patches.queueing, "Queue", queue_class)
        queue = demo.queue()._queue
        assert type(queue) is queue_class
        found[queue_class] = queue.sleep_when_free, result_of(looks_a_second(queue))
    assert found[OWN_QUEUE][0] < QUEUE_SECONDS  # so many more looks as a busy machine lets it have
    assert 0 < found[Queue][1] <= 1 / QUEUE_SECONDS + 2


def test_the_patches_are_in_place():
    from gradio import queueing, route_utils, routes

    assert queueing.Queue is Queue and routes.StateHolder is Sessions
    assert route_utils.GradioMultiPartParser is BoundedParser


def test_the_page_starts_however_late_its_first_answer_is(demo, monkeypatch):
    monkeypatch.setattr("gradio.networking.url_ok", lambda url: False)
    launch = partial(demo.launch, prevent_thread_lock=True, quiet=True, server_port=free_port())
    try:
        with pytest.raises(ValueError, match="localhost is not accessible"):
            launch(**LAUNCH | {"_frontend": True})
        demo.close()
        launch(**LAUNCH)
    finally:
        demo.close()
