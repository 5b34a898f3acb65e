"""Where uploads lie, and that nothing of them stays."""

import asyncio
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from coroutines import result_of
from PIL import Image
from waiting import PATIENCE, wait_until

from page.server import upload_folder as uploads
from page.server.request_limits import RequestLimits
from page.server.upload_folder import Sweeper, upload_folder
from page.widgets.components import save_whole


def test_old_files_go_whoever_wrote_them_and_the_kept_ones_stay(tmp_path, monkeypatch):
    example, upload, cut_off = tmp_path / "example" / "a.jpg", tmp_path / "hash" / "b.jpg", tmp_path / "tmp1234"
    for file in (example, upload, cut_off):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"x")
    linked = tmp_path.parent / "elsewhere.txt"
    linked.write_text("not ours")
    (tmp_path / "link").symlink_to(linked)
    os.utime(upload, (0, 0))  # what the sender's file said of its age does not count
    sweeper = Sweeper(tmp_path, 60, 60, lambda: {str(example)})
    sweeper.sweep()
    assert upload.exists() and cut_off.exists()
    time.sleep(0.1)  # files have a coarser clock
    fresh = tmp_path / "fresh.jpg"
    fresh.write_bytes(b"x")
    came = fresh.stat().st_ctime
    monkeypatch.setattr(uploads.time, "time", lambda: came + 60)
    sweeper.sweep()
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["a.jpg", "fresh.jpg"]
    monkeypatch.setattr(uploads.time, "time", lambda: came + 3600)
    sweeper.sweep()
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.jpg", "example"]
    assert linked.read_text() == "not ours"


def test_it_is_swept_at_the_start_and_again_and_again(tmp_path):
    (tmp_path / "left.jpg").write_bytes(b"x")
    time.sleep(0.3)
    with Sweeper(tmp_path, 0.2, 0.1):
        assert not (tmp_path / "left.jpg").exists()
        (tmp_path / "later.jpg").write_bytes(b"x")
        wait_until(lambda: not (tmp_path / "later.jpg").exists())


def test_a_file_that_cannot_be_deleted_keeps_no_other_from_it(tmp_path, monkeypatch, capsys):
    stuck, other = tmp_path / "a.jpg", tmp_path / "b" / "b.jpg"
    other.parent.mkdir()
    for file in (stuck, other):
        file.write_bytes(b"x")
    unlink = Path.unlink

    def refuse(path):
        if path == stuck:
            raise PermissionError(13, "in use")
        unlink(path)

    monkeypatch.setattr(Path, "unlink", refuse)
    time.sleep(0.05)
    Sweeper(tmp_path, 0.01, 60).sweep()
    assert stuck.exists() and not other.exists() and "in use" in capsys.readouterr().err


def asked(gate, path, *parts, length=None):
    """The status that a gate answers to a request that comes in parts; None is one that never comes."""
    statuses, left = [], list(parts)

    async def receive():
        part = left.pop(0)
        if part is None:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": part, "more_body": bool(left)}

    async def send(message):
        statuses.append(message.get("status"))

    headers = [] if length is None else [(b"content-length", str(length).encode())]
    result_of(gate({"type": "http", "path": path, "headers": headers}, receive, send))
    return statuses[0]


async def reader(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_a_request_that_is_larger_than_it_may_be_is_refused(tmp_path):
    gate = RequestLimits(reader, upload=30, tool=20, other=10, folder=tmp_path, max_stored=100, idle_timeout=60)
    for path, most in (("/gradio_api/upload", 30), ("/gradio_api/mcp/", 20), ("/gradio_api/queue/join", 10)):
        assert asked(gate, path, b"x" * most, length=most) == 200
        assert asked(gate, path, b"x" * (most // 2), b"x" * (most // 2)) == 200
        assert asked(gate, path, b"x", length=most + 1) == 413
        assert asked(gate, path, b"x" * most, b"x") == 413  # no length, or a wrong one, was announced
        assert asked(gate, path, b"x" * most, b"x", length=1) == 413
    assert asked(gate, "/gradio_api/component_server", b"x") == 404


def test_the_rest_of_a_request_is_not_waited_for_forever(tmp_path):
    """As when a telephone loses its network: nobody closes the connection."""
    gate = RequestLimits(reader, upload=30, tool=20, other=10, folder=tmp_path, max_stored=100, idle_timeout=0.1)
    assert asked(gate, "/gradio_api/upload", b"x", None) == 408
    assert asked(gate, "/gradio_api/upload", b"x" * 10, b"x") == 200


def test_a_full_folder_takes_no_more_uploads(tmp_path):
    gate = RequestLimits(reader, upload=30, tool=20, other=10, folder=tmp_path, max_stored=100, idle_timeout=60)
    (tmp_path / "hash").mkdir()
    (tmp_path / "hash" / "a.jpg").write_bytes(b"x" * 101)
    assert asked(gate, "/gradio_api/upload", b"x") == 503
    assert asked(gate, "/gradio_api/queue/join", b"x") == 200


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "to be restored")
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    monkeypatch.setattr(uploads.tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_folder_is_the_same_each_time_and_private(temporary, monkeypatch):
    folder = upload_folder()
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    assert upload_folder() == folder and folder.parent == temporary
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and os.environ["GRADIO_TEMP_DIR"] == str(folder)


def test_a_folder_under_that_name_that_is_a_link_is_not_used(temporary, monkeypatch):
    first = upload_folder()
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    first.rmdir()
    (temporary / "elsewhere").mkdir()
    first.symlink_to(temporary / "elsewhere")
    assert upload_folder() not in (first, temporary / "elsewhere")


def test_the_environment_decides_and_what_others_have_there_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "mine"))
    folder = upload_folder()
    assert folder.parent == tmp_path / "mine" and upload_folder() == folder
    theirs = tmp_path / "mine" / "theirs.txt"
    theirs.write_text("not ours")
    (folder / "ours.jpg").write_bytes(b"x")
    time.sleep(0.1)
    Sweeper(folder, 0.05, 60).sweep()
    assert theirs.exists() and not (folder / "ours.jpg").exists()


def test_threads_that_save_the_same_picture_at_once_all_have_it(tmp_path):
    image, together = Image.effect_noise((64, 64), 50).convert("RGB"), Barrier(8)

    def save(_):
        together.wait(PATIENCE)
        return [Path(save_whole(image, str(tmp_path))).stat().st_size for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        assert len({size for sizes in pool.map(save, range(8)) for size in sizes}) == 1
    assert len([file for file in tmp_path.rglob("*") if file.is_file()]) == 1
