"""The running server, through gradio_client, as a program uses it."""

import io
import json
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest
from conftest import ROOT, free_port
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

import app
from detect import Detector

REAL = ROOT / "examples" / "real_eileen_collins.jpg"


@pytest.fixture(scope="module")
def client(server):
    return Client(server[0], verbose=False)


def test_the_api_has_two_documented_endpoints(client):
    api = client.view_api(return_format="dict")
    assert set(api["named_endpoints"]) == {"/predict", "/analyze"} and not api["unnamed_endpoints"]
    for endpoint in api["named_endpoints"].values():
        assert [p["parameter_name"] for p in endpoint["parameters"]] == ["image"]
        assert "Judge the faces" in endpoint["description"]


def test_analyze_gives_the_verdict_that_the_library_gives(client):
    expected = Detector(ROOT / "model.onnx").predict([REAL])[0].to_dict()
    assert client.predict(image=handle_file(REAL), api_name="/analyze") == json.loads(json.dumps(expected))


def test_predict_gives_the_label_and_both_confidences(client):
    verdict = Detector(ROOT / "model.onnx").predict([REAL])[0]
    answer = client.predict(image=handle_file(REAL), api_name="/predict")
    assert answer["label"] == {"real": "Real", "fake": "Fake", "unsure": "Not sure"}[verdict.label]
    confidences = {c["label"]: c["confidence"] for c in answer["confidences"]}
    assert confidences["Fake"] == pytest.approx(verdict.p_fake)
    assert confidences["Real"] == pytest.approx(1 - verdict.p_fake)


def bad_files(folder):
    good = REAL.read_bytes()
    bomb = io.BytesIO()
    Image.new("1", (12000, 9000)).save(bomb, "PNG")
    for name, data, words in (
        ("text.jpg", b"just words", "not a picture"),
        ("page.png", b"<html><script>alert(1)</script></html>", "not a picture"),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>', "not a picture"),
        ("empty.jpg", b"", "empty"),
        ("cut.jpg", good[: len(good) // 3], "damaged or cut short"),
        ("bomb.png", bomb.getvalue(), "megapixels"),
    ):
        path = folder / name
        path.write_bytes(data)
        yield path, words


def test_bad_input_gets_a_sentence_and_no_traceback(client, server, tmp_path):
    for path, words in bad_files(tmp_path):
        for endpoint in ("/predict", "/analyze"):
            with pytest.raises(AppError) as error:
                client.predict(image=handle_file(path), api_name=endpoint)
            assert words in str(error.value), path.name
    with pytest.raises(AppError, match="No picture was sent"):
        client.predict(image=None, api_name="/analyze")
    assert "Traceback" not in server[2].read_text()
    assert client.predict(image=handle_file(REAL), api_name="/analyze")["faces"]


def call_analyze(url, image):
    """What the server answers to a raw request, without a client that would upload a file of its own."""
    event = httpx.post(f"{url}gradio_api/call/analyze", json={"data": [image]}).json()["event_id"]
    return httpx.get(f"{url}gradio_api/call/analyze/{event}", timeout=30).text


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


def test_an_address_is_refused_before_anything_is_fetched(server):
    asked = []

    class Counter(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)

    elsewhere = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    Thread(target=elsewhere.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{elsewhere.server_port}/face.jpg"
    answer = call_analyze(server[0], {"path": url, "meta": {"_type": "gradio.FileData"}})
    elsewhere.shutdown()
    assert "event: error" in answer and "not its address" in answer and not asked


def test_an_upload_over_the_limit_is_refused(server):
    big = io.BytesIO(b"\xff\xd8" + bytes(app.MAX_BYTES + 1))
    answer = httpx.post(f"{server[0]}gradio_api/upload", files={"files": ("big.jpg", big)}, timeout=60)
    assert answer.status_code == 413


def test_a_miniature_model_serves_and_its_uploads_are_deleted(exported, tmp_path, monkeypatch):
    monkeypatch.setattr(app, "KEEP_SECONDS", 2)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "kept"))
    demo = app.build(Detector(exported))
    _, url, _ = demo.launch(prevent_thread_lock=True, server_port=free_port(), quiet=True, **app.LAUNCH)
    try:
        upload = tmp_path / "sent" / "by_a_visitor.jpg"
        upload.parent.mkdir()
        upload.write_bytes(REAL.read_bytes())
        answer = Client(url, verbose=False).predict(image=handle_file(upload), api_name="/analyze")
        assert answer == json.loads(json.dumps(Detector(exported).predict([REAL])[0].to_dict()))
        kept = tmp_path / "kept"
        assert list(kept.rglob(upload.name))
        deadline = time.monotonic() + 15
        while list(kept.rglob(upload.name)):
            assert time.monotonic() < deadline, "the upload is still there"
            time.sleep(0.25)
    finally:
        demo.close()


def test_without_a_model_the_page_does_not_start(tmp_path):
    for name in ("app.py", "detect", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    code = (
        "import app, detect.detector, pathlib; app.default_model = lambda: pathlib.Path('model.onnx'); "
        "raise SystemExit(app.main())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "no model file" in done.stderr and "Traceback" not in done.stderr
