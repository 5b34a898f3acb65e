"""Files of the server that nobody sent: no way of asking brings anything of one back."""

import json
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import httpx
import numpy as np
import pytest
from albums import REAL
from films import film
from PIL import Image
from project import ROOT
from servers import Server, serving
from waiting import PATIENCE

from bench.serving import Client
from deepfake_detect.report.sentences import WORDS
from page import texts
from page.server.bootstrap import UPLOADS

META = {"_type": "gradio.FileData"}
ENDPOINTS = ("predict", "analyze", "analyze_video", "analyze_batch")
VERDICT = '"confidence'  # of every endpoint
FILE_INPUTS = ("image", "video", "file")
ROUTES = (
    "gradio_api/file={}", "file={}", "static/{}", "assets/{}", "gradio_api/file/{}", "file/{}", "static/../{}",
    "assets/../{}", "svelte/{}", "theme.css?path={}", "gradio_api/theme.css?v={}", "gradio_api/proxy={}",
    "gradio_api/stream/{}", "gradio_api/stream/s/1/2/{}", "gradio_api/stream/s/1/2/playlist-file?path={}",
    "gradio_api/custom_component/{}/client/component/index.js", "gradio_api/custom_component/x/client/component/{}",
    "gradio_api/deep_link?session_hash={}", "?deep_link={}", "?__theme={}", "pwa_icon/{}", "monitoring/{}",
    "gradio_api/call/analyze/{}", "gradio_api/vibe-code?path={}", "gradio_api/run-history/records?path={}", "{}",
)  # fmt: skip


class Hidden(NamedTuple):
    """Files of the server outside its uploads, and what nobody may learn of them."""

    token: str  # stands in each
    text: Path
    picture: Path
    clip: Path
    linked: Path  # a link among the uploads to the picture


@pytest.fixture(scope="module")
def guarded(tmp_path_factory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("guarded")) as started:
        yield started
        assert started.process.poll() is None
        assert Client(started.url).ask("predict", Client(started.url).upload(REAL))["label"] in WORDS.values()


@pytest.fixture(scope="module")
def hidden(guarded, tmp_path_factory) -> Hidden:
    folder, token = tmp_path_factory.mktemp("hidden"), secrets.token_hex(16)
    clip = film(folder / "clip.mp4", [np.asarray(Image.open(REAL).convert("RGB"))] * 3)
    files = folder / "secret.txt", folder / "secret.jpg", clip
    for file, data in zip(files, (b"", REAL.read_bytes(), clip.read_bytes()), strict=True):
        file.write_bytes(data + token.encode())
    linked = guarded.uploads / UPLOADS.name / "linked.jpg"
    linked.symlink_to(files[1])
    return Hidden(token, *files, linked)


def spellings(file: Path, uploads: Path) -> list[str]:
    """Of the path of a file, as it stands in an address."""
    whole, climb = str(file), "../" * 12
    steps = climb + whole[1:]
    inside = f"{uploads}/{os.path.relpath(file, uploads)}"
    return [
        whole, f"/{whole}", f"//{whole}", f"./{os.path.relpath(file, ROOT)}", steps, f"/{steps}", inside,
        quote(whole, safe=""), quote(steps, safe=""), quote(quote(steps, safe=""), safe=""),
        steps.replace("..", "%2e%2e"), steps.replace("../", "..%2f"), steps.replace("../", "....//"),
        steps.replace("/", "\\"), steps.replace("/", "%5c"), steps.replace("../", "..;/"),
        steps.replace("..", "%c0%ae%c0%ae"), f"C:{whole}", f"C:\\..{steps}".replace("/", "\\"),
        f"file://{whole}", f"file:{whole}", f"{whole}%00.jpg", f"{whole}%00", f"{whole}/", f"{whole}/.",
        f"{inside}%3f", f"{uploads}/%2e%2e/{climb}{whole[1:]}", f"http://127.0.0.1/{whole}",
    ]  # fmt: skip


def fetched(server: Server, target: str, **headers: str) -> bytes:
    """What comes for an address that is sent as it is written: a library would take its dots away."""
    address = urlsplit(server.url)
    connection = HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
    try:
        connection.request("GET", target, headers=headers)
        return connection.getresponse().read()
    except IncompleteRead as cut:  # a stream of answers to an event that there is not
        return cut.partial
    finally:
        connection.close()


def test_no_address_leads_to_a_file_that_was_not_sent(guarded, hidden, record_property, all_cases):
    uploads, client = guarded.uploads / UPLOADS.name, Client(guarded.url)
    own = client.upload(REAL)["path"]
    for spelling in (own, quote(own, safe=""), f"{uploads}/x/../{os.path.relpath(own, uploads)}"):
        assert fetched(guarded, f"/gradio_api/file={spelling}") == REAL.read_bytes()  # what was sent can be had
    files = {hidden.text: ROUTES, ROOT / "app.py": ROUTES[:4], ROOT / "README.md": ROUTES[:4]}
    targets = [
        (file, f"/{route.format(spelling)}")
        for file, routes in files.items()
        for route in routes
        for spelling in spellings(file, uploads)
    ]
    targets += [
        (hidden.text, f"/gradio_api/file={way}") for way in (hidden.linked, f"{hidden.linked.parent}/./linked.jpg")
    ]
    if not all_cases:
        targets = targets[::9]  # of every route and every spelling some, as their numbers have no divisor in common
    contents = {file: file.read_bytes() for file in files}

    def leaks(asked: tuple[Path, str]) -> bool:
        file, target = asked
        answer = fetched(guarded, target)
        return hidden.token.encode() in answer or contents[file][:200] in answer

    with ThreadPoolExecutor(4) as pool:
        leaked = [target for (_, target), leak in zip(targets, pool.map(leaks, targets), strict=True) if leak]
    part = fetched(guarded, f"/gradio_api/file={hidden.text}", Range="bytes=0-9")
    assert not leaked and hidden.token[:10].encode() not in part
    record_property("survives", [
        "Server", f"{len(targets)} addresses that lead out of the upload folder, on {len(ROUTES)} routes",
        "None brought back anything of a file that was not sent",
    ])  # fmt: skip


def payloads(path: str, elsewhere: str) -> list[object]:
    """Ways for a program to say that this is its file."""
    return [
        {"path": path, "meta": META},
        {"path": path},
        {"path": path, "meta": {"_type": "other"}},
        {"path": path, "meta": META, "is_stream": True},
        {"path": path, "meta": META, "url": elsewhere, "orig_name": "face.jpg"},
        {"path": None, "meta": META, "url": f"file://{path}"},
        {"path": {"path": path, "meta": META}, "meta": META},
        path,
    ]


def ways(hidden: Hidden, elsewhere: str, uploads: Path) -> list[object]:
    found = [
        payload for file in (hidden.picture, hidden.clip, hidden.linked) for payload in payloads(str(file), elsewhere)
    ]
    paths = (
        os.path.relpath(hidden.picture, ROOT), f"{uploads}/{os.path.relpath(hidden.picture, uploads)}",
        f"file://{hidden.picture}", f"C:{hidden.picture}", f"{hidden.picture}\0.jpg", "/etc/passwd", str(uploads),
    )  # fmt: skip
    found += [payload for path in paths for payload in payloads(path, elsewhere)[:2]]
    return found + payloads(elsewhere, elsewhere)[:4]


def values(endpoint: str, payload: object) -> list:
    first = [payload] if endpoint == "analyze_batch" else payload
    return [first, False] if endpoint == "analyze" else [first]


def test_a_file_that_was_not_sent_is_not_judged(guarded, hidden, elsewhere, record_property, all_cases):
    uploads, (address, fetches) = guarded.uploads / UPLOADS.name, elsewhere
    client = Client(guarded.url)
    for endpoint in ENDPOINTS:  # what was sent is
        sent = client.upload(hidden.clip if endpoint == "analyze_video" else REAL)
        assert client.ask(endpoint, *values(endpoint, sent))
    for clip in uploads.rglob(hidden.clip.name):
        clip.unlink()
    asked = [(endpoint, payload) for payload in ways(hidden, address, uploads) for endpoint in ENDPOINTS]
    asked = asked if all_cases else asked[::3]  # every way, and every endpoint

    def refused(number: int) -> bool:
        endpoint, payload = asked[number]
        try:
            return VERDICT not in json.dumps(client.ask(endpoint, *values(endpoint, payload)))
        except RuntimeError as error:
            return hidden.token not in str(error)

    with ThreadPoolExecutor(4) as pool:
        judged = [asked[number] for number, held in enumerate(pool.map(refused, range(len(asked)))) if not held]
    assert not judged and not fetches
    assert not [file for file in uploads.rglob("*") if not file.is_symlink() and holds(file, hidden.token)]
    record_property("survives", [
        "Server", f"{len(asked)} requests of programs that name a file of the server, or an address, as their own",
        "None was judged, copied or fetched",
    ])  # fmt: skip


def holds(file: Path, token: str) -> bool:
    return file.is_file() and token.encode() in file.read_bytes()


def answers(client: Client, events: list[dict], session: str) -> str:
    """All that the page's own events answer, one after the other in a session, as the page would send them."""
    said = ""
    for event in events:
        joined = client.http.post("queue/join", json=event | {"session_hash": session, "trigger_id": None})
        said += joined.text
        if joined.status_code == 200:
            said += client.http.get("queue/data", params={"session_hash": session}).text
    return said


def test_the_page_s_own_events_take_no_file_that_was_not_sent(guarded, hidden, elsewhere, record_property, all_cases):
    client, (address, fetches) = Client(guarded.url), elsewhere
    config = httpx.get(f"{guarded.url}config").json()
    types = {component["id"]: component["type"] for component in config["components"]}
    calls = [
        (call["id"], [types[number] for number in call["inputs"]])
        for call in config["dependencies"]
        if call["backend_fn"]
    ]

    def events(payload: object) -> list[dict]:
        """Every function of the page, as if its files, and what was clicked, were this."""
        return [
            {
                "fn_index": function,
                "data": [[payload] if kind == "file" else payload if kind in FILE_INPUTS else None for kind in kinds],
                "event_data": {"index": 0, "value": payload},
            }
            for function, kinds in [*calls, *reversed(calls)]  # some go on with what another has begun
        ]

    said = answers(client, events(client.upload(REAL)), "sent")
    assert VERDICT in said and texts.ALBUM_ORDER[:25] in said
    before = set(guarded.uploads.rglob("*"))
    asked = payloads(str(hidden.picture), address)[:4] + payloads(str(hidden.linked), address)[:2]
    asked = asked if all_cases else asked[::4]  # the hidden file, and the link to it
    for number, payload in enumerate(asked):
        said = answers(client, events(payload), f"session{number}")
        assert not any(words in said for words in (VERDICT, texts.ALBUM_ORDER[:25], hidden.token, "data:image")), (
            payload
        )
    assert not fetches and set(guarded.uploads.rglob("*")) == before
    record_property("survives", [
        "Server", f"{len(asked) * len(calls) * 2} calls of the {len(calls)} functions behind the page with such files",
        "None was judged or shown",
    ])  # fmt: skip


def test_an_upload_lands_among_the_uploads_whatever_it_is_called(guarded, tmp_path):
    uploads = guarded.uploads / UPLOADS.name
    own = {file for file in guarded.uploads.parent.rglob("*") if not file.is_relative_to(uploads)}
    names = [
        "../../out.jpg", "..\\..\\out.jpg", f"{tmp_path}/out.jpg", "%2e%2e%2fout.jpg", "....//out.jpg", "C:\\out.jpg",
        "..", ".", "../", "/", "\\", "out.jpg\0.txt", "-rf", "~/out.jpg", "x" * 300 + ".jpg",
    ]  # fmt: skip
    for name in names:
        data = secrets.token_bytes(16)
        head = f'--cut\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
        answer = httpx.post(
            f"{guarded.url}gradio_api/upload",
            content=head + data + b"\r\n--cut--\r\n",
            headers={"Content-Type": "multipart/form-data; boundary=cut"},
        )
        if answer.status_code == 200:
            (path,) = answer.json()
            assert Path(path).resolve().is_relative_to(uploads) and Path(path).read_bytes() == data, name
        else:
            assert answer.status_code < 500, (name, answer.text)
    assert {file for file in guarded.uploads.parent.rglob("*") if not file.is_relative_to(uploads)} == own
    assert not list(tmp_path.iterdir()) and not (ROOT / "out.jpg").exists()
