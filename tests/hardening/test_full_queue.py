"""More requests at a time than may wait: each one too many is told so at once, and those that wait are served."""

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from albums import REAL
from servers import serving
from waiting import wait_until

from bench.serving import Client
from deepfake_detect.report.sentences import WORDS
from page import texts
from page.app import AT_A_TIME

MAX_WAITING = 64  # requests, of the page's queue
TOO_MANY = 200
CLIENTS = 20
# While the folder is there, no picture is judged; a file in it says of each that its turn has come.
GATED = """
import sys, tempfile, time
from pathlib import Path
from deepfake_detect import Detector
from page import app

gate = Path(sys.argv[1])
predict_one = Detector.predict_one

def gated(detector, *picture):
    if gate.exists():
        tempfile.mkstemp(dir=gate)
    while gate.exists():
        time.sleep(0.05)
    return predict_one(detector, *picture)

Detector.predict_one = gated
raise SystemExit(app.main([]))
"""


@pytest.fixture
def gated(tmp_path):
    """A server, and the folder of those whose turn has come."""
    gate = tmp_path / "gate"
    with serving(tmp_path, "-c", GATED, gate) as started:
        gate.mkdir()
        yield started, gate
        shutil.rmtree(gate, ignore_errors=True)


def test_one_request_too_many_is_told_so_at_once_and_the_others_are_served(gated, browser, record_property):
    server, gate = gated
    client = Client(server.url)
    picture = client.upload(REAL)

    def asked(number: int) -> tuple[httpx.Response, float]:
        endpoint, values = ("predict", [picture]) if number % 2 else ("analyze", [picture, False])
        since = time.monotonic()
        answer = client.http.post(f"call/{endpoint}", json={"data": values})
        return answer, time.monotonic() - since

    taken = [asked(number)[0] for number in range(AT_A_TIME)]
    wait_until(lambda: len(list(gate.iterdir())) >= AT_A_TIME)
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers, seconds = zip(*pool.map(asked, range(MAX_WAITING + TOO_MANY)), strict=True)
    taken += [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(refused) == TOO_MANY  # while nothing is judged
    assert {(answer.status_code, answer.json()["detail"]) for answer in refused} == {(503, texts.SERVER_BUSY)}
    with pytest.raises(httpx.HTTPStatusError, match="503"):
        client.ask("predict", picture)

    page = browser.new_page()
    page.goto(server.url)  # still comes
    page.set_input_files("#photo input[type=file]", REAL)
    page.locator("#card").get_by_text(texts.SERVER_FAILED).wait_for()
    page.close()

    shutil.rmtree(gate)
    for answer in taken:
        endpoint = answer.request.url.path.rpartition("/")[2]
        said = client.http.get(f"call/{endpoint}/{answer.json()['event_id']}").text
        kind, _, data = said.strip().rpartition("event: ")[2].partition("\ndata: ")  # after signs of life
        assert kind == "complete" and json.loads(data)[0]["label"] in {*WORDS, *WORDS.values()}, said
    assert client.ask("predict", picture)["label"] in WORDS.values()
    assert "Traceback" not in server.log.read_text()
    record_property("survives", [
        "Server", f"{MAX_WAITING + AT_A_TIME + TOO_MANY} requests at a time, of which {MAX_WAITING} may wait",
        f"{TOO_MANY} were told within {max(seconds):.1f} s that it is busy, the page too; the other {len(taken)} were "
        "judged",
    ])  # fmt: skip
