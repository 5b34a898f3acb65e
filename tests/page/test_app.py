"""The running server, through gradio_client, as a program uses it."""

import io
import json
import os
import socket
import subprocess
import sys
from threading import Event

import httpx
import numpy as np
import pytest
from albums import bad_files
from films import film
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from project import ROOT
from servers import free_port
from waiting import LONG, PATIENCE, wait_until

from deepfake_detect import Detector, judge_video
from deepfake_detect.errors import CODES
from page import app, texts
from page.server.bootstrap import is_port
from page.tabs import video as videos

REAL = ROOT / "examples" / "real_eileen_collins.jpg"


@pytest.fixture(scope="module")
def client(server):
    return Client(server[0], verbose=False)


@pytest.mark.gradio
def test_the_api_has_four_documented_endpoints(client):
    api = client.view_api(return_format="dict")
    taken = {
        "/predict": ["image"], "/analyze": ["image", "thorough"], "/analyze_video": ["video"],
        "/analyze_batch": ["images"],
    }  # fmt: skip
    assert set(api["named_endpoints"]) == set(taken) and not api["unnamed_endpoints"]
    events = {event["api_name"]: event["api_visibility"] for event in client.config["dependencies"]}
    assert {f"/{name}" for name, visibility in events.items() if visibility != "private"} == set(taken)
    with pytest.raises(ValueError, match="Cannot find a function"):  # what the page alone needs
        client.predict(0, api_name="/load_example")
    for name, endpoint in api["named_endpoints"].items():
        assert [p["parameter_name"] for p in endpoint["parameters"]] == taken[name]
        assert "Judge the faces" in endpoint["description"]


def test_the_page_links_to_the_one_without_a_server_where_there_is_one(client, monkeypatch):
    def intro(config: dict) -> str:
        return next(c["props"]["value"] for c in config["components"] if c["props"].get("elem_id") == "intro")

    assert "without uploading" not in intro(client.config)
    monkeypatch.setenv("WEB_PAGE", "https://example.org/browser")
    with_link = intro(app.build(Detector(ROOT / "model.onnx")).get_config_file())
    assert with_link.endswith("[Check it without uploading](https://example.org/browser).")


def test_analyze_gives_the_verdict_that_the_library_gives(client):
    expected = Detector(ROOT / "model.onnx").predict([REAL])[0].to_dict()
    assert client.predict(image=handle_file(REAL), api_name="/analyze") == json.loads(json.dumps(expected))


def test_analyze_looks_as_closely_as_the_page_where_asked(client):
    thorough = Detector(ROOT / "model.onnx").predict_one(REAL, thorough=True)
    answer = client.predict(image=handle_file(REAL), thorough=True, api_name="/analyze")
    assert answer == json.loads(json.dumps(thorough.to_dict()))


def test_predict_gives_the_label_and_both_confidences(client):
    verdict = Detector(ROOT / "model.onnx").predict([REAL])[0]
    answer = client.predict(image=handle_file(REAL), api_name="/predict")
    assert answer["label"] == {"real": "Real", "fake": "Fake", "unsure": "Not sure"}[verdict.label]
    confidences = {c["label"]: c["confidence"] for c in answer["confidences"]}
    assert confidences["Fake"] == pytest.approx(verdict.p_fake)
    assert confidences["Real"] == pytest.approx(1 - verdict.p_fake)


def test_analyze_video_gives_the_verdict_that_the_library_gives(client, tmp_path):
    clip = film(tmp_path / "clip.mp4", [np.asarray(Image.open(REAL).convert("RGB"))] * 6)
    expected = judge_video(Detector(ROOT / "model.onnx"), clip).to_dict()
    assert len(expected["timeline"]) == 6 and expected["faces"][0]["frames"] == 6
    assert client.predict(video=handle_file(clip), api_name="/analyze_video") == json.loads(json.dumps(expected))


@pytest.mark.usefixtures("no_traceback")
def test_a_bad_video_gets_a_sentence(client, tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    with pytest.raises(AppError, match="not a video") as refused:
        client.predict(video=handle_file(text), api_name="/analyze_video")
    assert refused.value.title == "unsupported_format"
    with pytest.raises(AppError, match="No video was sent"):
        client.predict(video=None, api_name="/analyze_video")


@pytest.mark.gradio
@pytest.mark.usefixtures("no_traceback")
def test_bad_input_gets_a_sentence_and_no_traceback(client, tmp_path):
    for path, words in bad_files(tmp_path):
        for endpoint in ("/predict", "/analyze"):
            with pytest.raises(AppError) as error:
                client.predict(image=handle_file(path), api_name=endpoint)
            assert words in str(error.value) and error.value.title in CODES, path.name
    with pytest.raises(AppError, match="No picture was sent"):
        client.predict(image=None, api_name="/analyze")
    assert client.predict(image=handle_file(REAL), api_name="/analyze")["faces"]


def call_analyze(url, image):
    """What the server answers to a raw request, without a client that would upload a file of its own."""
    event = httpx.post(f"{url}gradio_api/call/analyze", json={"data": [image, False]}).json()["event_id"]
    return httpx.get(f"{url}gradio_api/call/analyze/{event}", timeout=PATIENCE).text


@pytest.mark.usefixtures("no_traceback")
def test_files_of_the_server_cannot_be_judged_or_read(server, tmp_path):
    meta = {"_type": "gradio.FileData"}
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(REAL.read_bytes())
    for path in ("/etc/passwd", str(ROOT / "pyproject.toml"), str(secret), f"{server[1]}/../../{secret}"):
        answer = call_analyze(server[0], {"path": path, "meta": meta})
        assert "event: error" in answer and "faces" not in answer and "not a picture" not in answer
        assert httpx.get(f"{server[0]}gradio_api/file={path}").status_code in (403, 404)

    with REAL.open("rb") as file:
        (uploaded,) = httpx.post(f"{server[0]}gradio_api/upload", files={"files": file}).json()
    assert "faces" in call_analyze(server[0], {"path": uploaded, "meta": meta})


@pytest.mark.usefixtures("no_traceback")
def test_the_answer_to_no_call_is_a_clear_404(server):
    for call in ("analyze/0123456789abcdef", "v2/predict/nothing", "nothing/nothing"):
        answer = httpx.get(f"{server[0]}gradio_api/call/{call}")
        assert (answer.status_code, answer.json()) == (404, {"detail": texts.NO_CALL})


def test_routes_that_the_page_does_not_need_are_closed(server):
    for route in ("process_recording", "vibe-edit", "stream/x/close", "component_server"):
        with REAL.open("rb") as file:
            answer = httpx.post(f"{server[0]}gradio_api/{route}", files={"video": file})
        assert answer.status_code == 404, route
    for route in ("proxy=https://example.hf.space/x", "file=https://example.com/face.jpg"):
        assert httpx.get(f"{server[0]}gradio_api/{route}").status_code == 404, route
    assert httpx.post(f"{server[0]}gradio_api/run/analyze", json={"data": [None]}).status_code in (401, 403, 404)


def test_videos_that_wait_leave_photographs_alone_and_one_too_many_is_told_so(detector, tmp_path, monkeypatch):
    """One is judged and some wait, the rest are refused; a photograph is judged meanwhile."""
    gate, judge_frames = Event(), videos.judge_frames

    def gated(*words):
        assert gate.wait(LONG)
        yield from judge_frames(*words)

    monkeypatch.setattr(videos, "judge_frames", gated)
    demo = app.build(detector)
    _, url, _ = demo.launch(prevent_thread_lock=True, server_port=free_port(), quiet=True, **app.LAUNCH)
    try:
        clip = film(tmp_path / "clip.mp4", [np.asarray(Image.open(REAL).convert("RGB"))] * 3)
        client, places = Client(url, verbose=False), texts.MAX_WAITING + 1
        jobs = [client.submit(video=handle_file(clip), api_name="/analyze_video") for _ in range(places + 3)]
        assert client.predict(image=handle_file(REAL), api_name="/analyze")["faces"]
        wait_until(lambda: sum(job.done() for job in jobs) >= 3)
        gate.set()
        errors = [job.exception(timeout=LONG) for job in jobs]
        assert sum("Try again in a few minutes" in str(error) for error in errors if error) == 3
        assert errors.count(None) == places
    finally:
        gate.set()
        demo.close()


def test_what_is_no_file_is_bounded(server):
    join = httpx.post(f"{server[0]}gradio_api/call/analyze", content=b'{"data": ["' + b"x" * 2**21 + b'"]}')
    assert join.status_code == 413
    field = httpx.post(f"{server[0]}gradio_api/upload", files={"files": (None, b"x" * 2**20)})
    assert field.status_code == 400 and "too large" in field.text
    assert httpx.get(server[0]).status_code == 200


@pytest.mark.usefixtures("no_traceback")
def test_an_address_is_refused_before_anything_is_fetched(server, elsewhere):
    url, asked = elsewhere
    answer = call_analyze(server[0], {"path": url, "meta": {"_type": "gradio.FileData"}})
    assert "event: error" in answer and "not its address" in answer and not asked


def test_an_upload_over_the_limit_is_refused(server):
    big = io.BytesIO(b"\xff\xd8" + bytes(app.MAX_VIDEO_BYTES))
    answer = httpx.post(f"{server[0]}gradio_api/upload", files={"files": ("big.jpg", big)}, timeout=PATIENCE)
    assert answer.status_code == 413


def test_the_address_is_all_that_is_printed_at_the_start(server):
    url, _, log = server
    said = log.read_text()
    assert texts.ADDRESS.format(url) in said.splitlines() and "share=True" not in said and "Running on" not in said


def started(folder, *words, **environment):
    """`python app.py` with arguments, which is to end by itself."""
    return subprocess.run(
        [sys.executable, ROOT / "app.py", *words], cwd=folder, env=os.environ | environment, capture_output=True,
        text=True, timeout=LONG,
    )  # fmt: skip


def test_without_a_model_the_page_does_not_start(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert app.main(["--model", "model.onnx"]) == 2
    assert capsys.readouterr().err.startswith("app.py: There is no model file")


def test_a_port_is_a_number_from_1_to_65535():
    assert all(map(is_port, ("1", "7860", "65535")))
    assert not any(map(is_port, ("", "http", "0", "65536", "99999", "-1", "1.0", " 1")))


def test_a_variable_that_is_no_port_is_a_sentence(monkeypatch, capsys):
    done = started(ROOT, GRADIO_SERVER_PORT="")
    assert (done.returncode, done.stderr) == (2, f"app.py: {texts.NO_PORT.format('')}\n")
    monkeypatch.setattr(app, "NAMED_PORT", "99999")
    assert app.main([]) == 2 and capsys.readouterr().err == f"app.py: {texts.NO_PORT.format('99999')}\n"


@pytest.mark.parametrize("named", [{}, {"NAMED_PORT": "http"}], ids=["argument", "both"])
def test_an_argument_whose_port_is_taken_is_a_sentence(named, taken, monkeypatch, capsys):
    for name, value in named.items():
        monkeypatch.setattr(app, name, value)  # which the argument overrules
    assert app.main(["--port", taken]) == 2
    assert capsys.readouterr().err.endswith(f"app.py: {texts.NO_ADDRESS.format(taken)}\n")


def test_a_variable_whose_port_is_taken_is_a_sentence(taken):
    done = started(ROOT, GRADIO_SERVER_PORT=taken)
    assert done.returncode == 2 and done.stderr.endswith(f"app.py: {texts.NO_ADDRESS.format(taken)}\n")
    assert "Traceback" not in done.stderr


@pytest.fixture
def taken():
    """A port at which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


@pytest.mark.parametrize("words", [("--port", "0"), ("--prot", "7860"), ("model.onnx",)])
def test_arguments_that_there_are_not_end_in_the_usage(words, capsys):
    with pytest.raises(SystemExit) as ended:
        app.main(words)
    assert ended.value.code == 2 and capsys.readouterr().err.startswith("usage: app.py")
