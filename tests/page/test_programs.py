"""What programs send, rightly or wrongly, and what a running server answers."""

import base64
import json
import os
import secrets
import shutil

import gradio as gr
import httpx
import pytest
from albums import GROUP, REAL
from coroutines import result_of
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from pictures import encoded
from PIL import Image
from starlette.requests import Request
from waiting import PATIENCE

from page import api, texts
from page.calls import CALLS, right_call
from page.widgets import components

META = {"_type": "gradio.FileData"}
SINGLE = ["predict", "analyze", "analyze_video"]  # take one file

SENTENCES = [
    *(
        texts.NO_FILE,
        texts.ONE_FILE,
        texts.A_PATH,
        texts.AN_ADDRESS,
        texts.BAD_VALUE,
        texts.NO_BOOLEAN,
        texts.NO_FUNCTION,
    ),
    texts.TOO_MANY_VALUES.format(texts.THIS_EVENT),
]

pytestmark = pytest.mark.usefixtures("no_traceback")


@pytest.fixture(scope="module")
def client(server):
    return Client(server[0], verbose=False)


@pytest.fixture(scope="module")
def small_url() -> str:
    """A portrait as a data: URL."""
    with Image.open(REAL) as picture:
        data = encoded(picture.convert("RGB").resize((300, 300)), "JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


@pytest.fixture
def sent(server) -> str:
    """The path of an upload, as the route for them answers it."""
    with REAL.open("rb") as file:
        (path,) = httpx.post(f"{server[0]}gradio_api/upload", files={"files": file}).json()
    return path


def call(url: str, endpoint: str, body: object, names: bool = False) -> httpx.Response | str:
    """What a plain request is answered: the end of its stream of events, or that there is none."""
    asked = httpx.post(
        f"{url}gradio_api/call/{'v2/' if names else ''}{endpoint}",
        content=body if isinstance(body, bytes) else json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    if asked.status_code != 200:
        return asked
    events = httpx.get(f"{url}gradio_api/call/{endpoint}/{asked.json()['event_id']}", timeout=PATIENCE).text
    return events.rstrip().rpartition("event: ")[2]


def verdict(said: str) -> dict:
    """The one verdict that was answered."""
    kind, data = said.split("\ndata: ")
    (answer,) = json.loads(data)
    assert kind == "complete"
    return answer[0] if isinstance(answer, list) else answer


def refusal(said: str) -> str:
    """The sentence that was answered."""
    kind, data = said.split("\ndata: ")
    assert kind == "error"
    return json.loads(data)["error"]


# What is right


@pytest.mark.gradio
def test_a_file_may_be_named_as_the_route_for_uploads_names_it(server, sent, detector):
    expected = detector.predict([REAL])[0].p_fake
    for file in (sent, {"path": sent}, {"path": sent, "meta": META}, {"path": sent, "orig_name": 5, "meta": None}):
        assert verdict(call(server[0], "analyze", {"data": [file]}))["p_fake"] == expected, file
        assert verdict(call(server[0], "analyze", {"image": file}, names=True))["p_fake"] == expected, file
        for files in ([file], file):
            answer = verdict(call(server[0], "analyze_batch", {"data": [files]}))
            assert answer["file"] == REAL.name and answer["label"], files


def test_what_has_a_default_may_be_left_out(server, sent):
    brief, thorough = (verdict(call(server[0], "analyze", {"data": [sent, value]})) for value in (False, True))
    assert brief["label"] and thorough["label"]
    for rest in ([], [None], [False]):
        assert verdict(call(server[0], "analyze", {"data": [sent, *rest]})) == brief
    assert verdict(call(server[0], "analyze", {"image": sent}, names=True)) == brief


def test_a_short_data_url_is_judged_and_lies_among_the_uploads(server, small_url, detector):
    data = base64.b64decode(small_url.partition(",")[2])
    expected = detector.predict([data])[0].p_fake
    spaced = small_url.replace("data:image/jpeg", "DATA:image/jpeg;name=a b.jpg").replace("/9j/", "/9\nj/ ")
    for url in (small_url, {"url": small_url}, {"path": None, "url": small_url, "meta": META}, {"path": spaced}):
        assert verdict(call(server[0], "analyze", {"data": [url]}))["p_fake"] == expected
    answer = verdict(call(server[0], "analyze_batch", {"data": [[small_url]]}))
    assert answer["file"] == components.DATA_URL_NAME and answer["p_fake"] == pytest.approx(expected, abs=1e-4)
    held = [path for path in server[1].rglob("*") if path.is_file() and path.read_bytes() == data]
    assert len(held) == 5


def test_a_picture_without_a_face_is_no_face_and_has_no_confidence(client, tmp_path):
    sky = tmp_path / "sky.png"
    Image.linear_gradient("L").resize((400, 300)).convert("RGB").save(sky)
    assert client.predict(image=handle_file(sky), api_name="/predict") == {"label": "No face", "confidences": []}
    answer = client.predict(image=handle_file(REAL), api_name="/predict")
    assert answer["label"] != "No face" and len(answer["confidences"]) == 2


# What is wrong


def wrong(sent: str) -> list[tuple[object, str]]:
    """Values that are no file, and what is said of them."""
    return [
        (REAL.name, texts.A_PATH), (str(REAL), texts.A_PATH), ("/etc/passwd", texts.A_PATH), ("\0", texts.A_PATH),
        ("\ud800", texts.A_PATH), (f"{sent}{'x' * 5000}", texts.A_PATH), (f"{sent}/../../../x.jpg", texts.A_PATH),
        ({"path": str(REAL)}, texts.A_PATH), ({"path": str(REAL), "meta": META}, texts.A_PATH),
        ({"path": str(REAL), "meta": "x"}, texts.A_PATH), ({"path": str(REAL), "is_stream": True}, texts.A_PATH),
        ("http://127.0.0.1:1/face.jpg", texts.AN_ADDRESS), ({"url": "https://127.0.0.1:1/a"}, texts.AN_ADDRESS),
        ("HTTPS://127.0.0.1:1/", texts.AN_ADDRESS), (f"file://{REAL}", texts.AN_ADDRESS),
        ("s3://bucket/face.jpg", texts.AN_ADDRESS), ("data:image/jpeg,x", texts.NOT_BASE64),
        ("data:", texts.NOT_BASE64), ("data:image/png;base64,@@@=", texts.NOT_BASE64),
        ("data:image/png;base64,é", texts.NOT_BASE64), (5, texts.NO_FILE), (True, texts.NO_FILE),
        ({"path": 5}, texts.NO_FILE), ({"meta": META}, texts.NO_FILE), ({"image": sent}, texts.NO_FILE),
        ({"path": {"path": sent, "meta": META}, "meta": META}, texts.NO_FILE),
    ]  # fmt: skip


@pytest.mark.gradio
@pytest.mark.parametrize("endpoint", CALLS)
def test_what_is_no_file_is_told_so_and_shown_the_right_call(server, sent, endpoint):
    for value, sentence in wrong(sent):
        files = value if endpoint in SINGLE else [sent, value]
        said = refusal(call(server[0], endpoint, {"data": [files]}))
        assert said == f"{sentence} {right_call(endpoint)}", value
        assert f'handle_file("{"clip.mp4" if endpoint == "analyze_video" else "photo.jpg"}")' in said
        assert f'api_name="/{endpoint}"' in said


@pytest.mark.parametrize("endpoint", CALLS)
def test_nothing_is_told_to_be_nothing(server, endpoint):
    for values in ([], [None], [""], [{}], [[]]):
        said = refusal(call(server[0], endpoint, {"data": values}))
        assert said.startswith("No ") and "sent. Send " in said and said.endswith(right_call(endpoint)), values


def test_other_values_than_the_endpoint_takes_are_refused(server, sent):
    for endpoint in SINGLE:
        assert refusal(call(server[0], endpoint, {"data": [[sent, sent]]})).startswith(texts.ONE_FILE)
    for endpoint in CALLS:  # files side by side are no list of files, and none is to be left out in silence
        said = refusal(call(server[0], endpoint, {"data": [sent, False, sent]}))
        assert said == f"{texts.TOO_MANY_VALUES.format(f'/{endpoint}')} {right_call(endpoint)}"
    for value in ("yes", 1, [True], {"path": sent, "meta": 5}):
        assert refusal(call(server[0], "analyze", {"data": [sent, value]})).startswith(texts.NO_BOOLEAN)


@pytest.mark.gradio
def test_a_body_of_another_form_is_answered_with_the_right_one(server, sent):
    for body in (b"photo.jpg", b"", {}, [sent], {"data": sent}, {"data": {"image": sent}}, {"image": sent}):
        answer = call(server[0], "analyze", body)
        assert answer.status_code == 422 and answer.json()["detail"] == f"{texts.BAD_BODY} {right_call('analyze')}"
    for body in ({}, {"foto": sent}, {"image": sent, "deep": True}, [sent]):
        answer = call(server[0], "analyze", body, names=True)
        assert answer.status_code == 422 and right_call("analyze") in answer.json()["detail"]
    for names in (False, True):
        answer = call(server[0], "judge", {"data": [sent]}, names)
        assert answer.status_code == 404 and "/analyze_batch" in answer.json()["detail"]
    joined = httpx.post(f"{server[0]}gradio_api/queue/join", json={"data": [], "fn_index": 999, "session_hash": "x"})
    assert joined.status_code == 404


def by_hand(asking: httpx.Client, number: int, values: list, event: object = None) -> tuple[int, dict]:
    """What an event of the page's own is answered that a program calls by its number: the status of the call, and what
    came of it."""
    session = secrets.token_hex(8)
    body = {"data": values, "fn_index": number, "session_hash": session, "event_data": event}
    joined = asking.post("gradio_api/queue/join", json=body)
    if joined.status_code != 200:
        return joined.status_code, joined.json()
    stream = asking.get("gradio_api/queue/data", params={"session_hash": session}).text
    messages = [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line]
    (done,) = (message for message in messages if message["msg"] == "process_completed")
    return 200, done["output"]


@pytest.mark.gradio
def test_events_of_the_page_called_by_hand_are_answered_without_a_traceback(server, client):
    """`no_traceback` looks at the server's log."""
    secret = {"path": str(REAL), "meta": META}
    address = {"path": "http://127.0.0.1:1/face.jpg", "meta": META}
    private = [event for event in client.config["dependencies"] if event["api_visibility"] == "private"]
    assert len(private) > 20
    wrong, asking = [], httpx.Client(base_url=server[0], timeout=PATIENCE)  # one for all, which is quicker
    for event in private:
        inputs = len(event["inputs"])
        for values in ([], [secret, address][:inputs], ["x", {}, []] * 2):
            status, answer = by_hand(asking, event["id"], values)
            if status != 200 or not ("data" in answer or answer["error"] in SENTENCES):
                wrong.append((event["id"], event["api_name"], values, status, answer))
    assert not wrong
    for event in ("x", {"index": {"path": "/etc/passwd", "meta": META}}):
        for chosen in private:
            if chosen["collects_event_data"]:
                by_hand(asking, chosen["id"], [None] * len(chosen["inputs"]), event)


def test_only_what_is_wrong_with_a_call_is_told_the_caller():
    """An error of ours, which happens to be of the same kind, is not."""
    request = Request({"type": "http", "path": "/gradio_api/queue/join", "headers": []})
    for wrong in (KeyError("x"), TypeError("x")):
        with pytest.raises(type(wrong)) as raised:
            raise wrong
        with pytest.raises(type(wrong)):
            result_of(api.bad_call(request, raised.value))


def test_a_data_url_that_is_too_long_is_told_how_to_send_the_file(server):
    answer = call(server[0], "analyze", {"data": ["data:image/jpeg;base64," + "A" * 2**20]})
    assert answer.status_code == 413 and "/gradio_api/upload" in answer.text


def test_a_full_folder_takes_no_data_url(server, small_url, monkeypatch, tmp_path):
    monkeypatch.setattr(components, "get_upload_folder", lambda: str(tmp_path))
    monkeypatch.setattr(components, "is_full", lambda folder: True)
    with pytest.raises(gr.Error, match="no room"):
        components.accepted_file(small_url)
    monkeypatch.undo()
    assert not os.listdir(tmp_path)


def test_the_client_of_python_is_told_the_right_call(client):
    for endpoint, name in (("/predict", "image"), ("/analyze", "image"), ("/analyze_video", "video")):
        with pytest.raises(AppError) as error:
            client.predict(**{name: str(REAL)}, api_name=endpoint)
        assert str(error.value) == f"{texts.A_PATH} {right_call(endpoint[1:])}"
    with pytest.raises(AppError, match="not its name"):
        client.predict(images=[str(REAL), str(GROUP)], api_name="/analyze_batch")
    (answer,) = client.predict(images=handle_file(REAL), api_name="/analyze_batch")  # one without its list
    assert answer["file"] == REAL.name


def test_every_call_that_is_shown_works(client, tmp_path, monkeypatch):
    shutil.copy(REAL, tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    for endpoint in CALLS:
        shown = right_call(endpoint).partition(". In JavaScript")[0].removeprefix("In Python: ")
        if endpoint == "analyze_video":
            shutil.copy(REAL, tmp_path / "clip.mp4")
            with pytest.raises(AppError, match="not a video"):  # it has come, but is none
                eval(shown, {"client": client, "handle_file": handle_file})
        else:
            assert eval(shown, {"client": client, "handle_file": handle_file})
