"""Content Credentials: pictures signed here, changed, cut and forged, and what is told of each."""

import io
import json
import random
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache

import c2pa
import numpy as np
import pytest
from PIL import Image
from signing import authority, signed
from waiting import PATIENCE

from deepfake_detect.picture import content_credentials as module
from deepfake_detect.picture.content_credentials import CAUSES, MADE, STATES, ContentCredentials, check_credentials
from deepfake_detect.picture.decode import MAX_BYTES
from deepfake_detect.picture.provenance import CAVEAT, CODES, Claim, read_claims, speaks_of_ai
from deepfake_detect.report.sentences import CREDENTIALS_WORTH, claims_said, claims_text

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings(r"ignore:::PIL\..*")]
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "TIFF": "image/tiff", "GIF": "image/gif",
         "HEIF": "image/heic", "AVIF": "image/avif"}  # fmt: skip


@cache
def plain(style: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)).save(out, style)
    return out.getvalue()


@cache
def taken(style: str = "JPEG") -> bytes:
    """As a camera signs it."""
    return signed(plain(style), TYPES[style])


@cache
def generated() -> bytes:
    return signed(plain(), "image/jpeg", "trainedAlgorithmicMedia")


def check(data: bytes, **options) -> ContentCredentials:
    found = check_credentials(data, **{"seconds": PATIENCE} | options)
    assert found.state in STATES and (found.cause in CAUSES) == (found.state == "not_checked")
    assert found.made in {"", *MADE}
    return found


def changed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data and len(old) == len(new)
    return data.replace(old, new)


@pytest.mark.parametrize("style", TYPES)
def test_signed_pictures_of_every_format_hold_and_their_signer_is_nobody_known(style):
    assert check(taken(style)) == ContentCredentials(
        "valid_untrusted", signer="Ada Example, Example Press", generator="Example Camera 1.2",
        actions=("c2pa.created",), made="camera", same_picture=True,
    )  # fmt: skip


def test_the_media_type_is_a_hint():
    assert check(taken(), media_type="image/jpeg") == check(taken(), media_type="image/png") == check(taken())


def test_a_signer_is_trusted_by_the_certificate_of_an_authority_and_by_no_other(tmp_path, monkeypatch):
    assert check(taken(), anchors=authority().anchor).state == "valid"
    assert check(taken(), anchors=authority("Another").anchor).state == "valid_untrusted"
    list_ = tmp_path / "anchors.pem"
    list_.write_text(authority("Another").anchor + authority().anchor)
    monkeypatch.setenv("C2PA_TRUST_ANCHORS", str(list_))
    assert check(taken()).state == "valid"
    assert check(taken(), anchors=authority("Another").anchor).state == "valid_untrusted"


@pytest.mark.parametrize("text", ["", "junk", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", None])
def test_a_list_of_trusted_signers_that_is_none_is_told(text, tmp_path, monkeypatch):
    list_ = tmp_path / "anchors.pem"
    if text is not None:
        list_.write_text(text)
    monkeypatch.setenv("C2PA_TRUST_ANCHORS", str(list_))
    assert check(taken()) == ContentCredentials("not_checked", "anchors_unreadable")


def test_pixels_that_were_changed_afterwards_are_told():
    at = len(taken()) - 200
    data = taken()[:at] + bytes([taken()[at] ^ 0x15]) + taken()[at + 1 :]
    for anchors in (None, authority().anchor):
        found = check(data, anchors=anchors)
        assert (found.state, found.same_picture) == ("invalid", False)
        assert found.problems == ("assertion.dataHash.mismatch",) and found.signer == "Ada Example, Example Press"


@pytest.mark.parametrize(("old", "new", "problem"), [
    (b"Example Camera", b"Another Camera", "claimSignature.mismatch"),
    (b"digitalCapture", b"digitalAdverb!", "assertion.hashedURI.mismatch"),
])  # fmt: skip
def test_words_that_were_changed_afterwards_are_told(old, new, problem):
    found = check(changed(taken(), old, new), anchors=authority().anchor)
    assert found.state == "invalid" and problem in found.problems
    assert found.same_picture is None, "nothing vouches for the hash of the pixels any more"


def test_credentials_moved_to_another_picture_do_not_hold():
    at, length = taken().index(b"\xff\xeb"), len(taken()) - len(plain())
    moved = generated()[:at] + taken()[at : at + length] + plain()[at:][::-1]
    assert check(moved).state in ("invalid", "unreadable")
    other = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(other, "JPEG")
    found = check(other.getvalue()[:at] + taken()[at : at + length] + other.getvalue()[at:])
    assert (found.state, found.same_picture) == ("invalid", False)


def test_a_certificate_that_has_run_out_without_a_time_stamp_is_told():
    for seconds in (2, 30, 120):  # in which a busy machine may fail to sign
        soon, made = authority(holds=timedelta(seconds=seconds)), time.monotonic()
        with suppress(c2pa.C2paError):  # where it has run out already
            data = signed(plain(), "image/jpeg", by=soon)
            if time.monotonic() - made < seconds - 0.5:
                break
    time.sleep(max(0, made + seconds + 2.5 - time.monotonic()))  # times in certificates are whole seconds
    found = check(data, anchors=soon.anchor)
    assert found.state == "invalid" and "signingCredential.expired" in found.problems and found.same_picture
    assert "was not in force" in read_claims(data, found)[0].text


def test_how_the_picture_came_about_is_told_of_all_that_it_was_made_from():
    assert check(generated()).made == "ai"
    edited = check(signed(generated(), "image/jpeg", "humanEdits"))
    assert (edited.made, edited.actions) == ("ai", ("c2pa.opened", "c2pa.edited"))
    assert check(signed(taken(), "image/jpeg", "compositeWithTrainedAlgorithmicMedia")).made == "ai_edited"
    assert check(signed(taken(), "image/jpeg", "trainedAlgorithmicMedia")).made == "ai_edited"
    assert check(signed(taken(), "image/jpeg", "humanEdits")).made == "camera"
    assert check(signed(plain(), "image/jpeg", part=generated())).made == "ai_edited"
    assert check(signed(plain(), "image/jpeg", "digitalArt")).made == ""


def test_files_without_content_credentials_start_nothing(monkeypatch):
    monkeypatch.setattr(module.subprocess, "run", None)
    for data in (b"", b"abc" * 100, *map(plain, TYPES), taken() + bytes(MAX_BYTES)):
        assert check(data) == ContentCredentials("none")


@pytest.fixture
def listener():
    """A server on this machine, and what it was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(100))

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/store", asked
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("style", ["JPEG", "PNG"])
def test_nothing_is_fetched(style, listener):
    address, asked = listener
    data = signed(plain(style), TYPES[style], remote=address)
    assert check(data) == ContentCredentials("not_checked", "remote")
    marked = data + module.C2PA_TYPE  # such that the library is asked, too
    assert check(marked).state in ("none", "unreadable") and not asked
    with pytest.raises(c2pa.C2paError):  # which asks by itself, unless it is told not to
        c2pa.Reader(TYPES[style], io.BytesIO(data))
    assert asked


def test_without_the_package_it_is_said_that_nothing_was_checked(monkeypatch):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    found = check(taken())
    assert found == ContentCredentials("not_checked", "package_missing")
    assert [claim.code for claim in read_claims(taken(), found)] == ["credentials_not_checked"]
    assert any(map(speaks_of_ai, read_claims(generated(), check(generated()))))  # what they say is told all the same


def test_a_process_that_cannot_start_or_takes_too_long_is_told(monkeypatch):
    assert check(taken(), seconds=-1) == ContentCredentials("unreadable")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert check(taken()) == ContentCredentials("not_checked", "no_process")


@pytest.mark.parametrize(("code", "found"), [
    ("import os; os.abort()", ContentCredentials("unreadable")),
    ("import sys; sys.exit(3)", ContentCredentials("not_checked", "no_process")),
    ("print('{\"store\"')", ContentCredentials("unreadable")),
    ("print('{\"store\": \"[1]\"}')", ContentCredentials("unreadable")),
    ("print('{\"store\": \"{}\"}')", ContentCredentials("unreadable")),
    ("import json; print(json.dumps({'store': '[' * 100_000}))", ContentCredentials("unreadable")),
    ("import json; print(json.dumps({'store': ' ' * 9_000_000 + '{}'}))", ContentCredentials("unreadable")),
])  # fmt: skip
def test_a_reader_that_crashes_or_talks_nonsense_takes_nothing_else_down(code, found, tmp_path, monkeypatch):
    reader = tmp_path / "reader.py"
    reader.write_text(code)
    monkeypatch.setattr(module, "_READER", reader)
    assert check(taken()) == found


def test_files_cut_anywhere_give_a_result_or_none():
    cuts = [taken()[: len(taken()) * tenth // 10] for tenth in range(10)]
    with ThreadPoolExecutor(2) as pool:
        assert {found.state for found in pool.map(check, cuts)} <= {"none", "unreadable", "invalid"}


@pytest.mark.parametrize("style", ["JPEG", "PNG", "HEIF"])
def test_files_with_wrong_bytes_give_a_result_or_none(style):
    chance, data, damaged = random.Random(style), taken(style), []
    for _ in range(50 if style == "JPEG" else 12):
        piece = bytearray(data)
        piece[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        damaged.append(bytes(piece))
    with ThreadPoolExecutor(2) as pool:
        states = [found.state for found in pool.map(check, damaged)]
    assert set(states) <= {"none", "unreadable", "invalid", "valid_untrusted"} and "invalid" in states


def test_texts_are_short_lines_without_control_codes():
    name = "<b>\u202e" + "x" * 300 + "\n\0y"
    found = check(signed(plain(), "image/jpeg", generator=name.replace("\0", "")))
    assert found.generator.isprintable() and len(found.generator) <= 120 and "\u202e" not in found.generator
    assert "&lt;b&gt;" in claims_text(read_claims(taken(), found))


# Claims and sentences


@pytest.mark.parametrize("state", [state for state in STATES if state != "none"])
def test_every_state_is_a_claim_with_its_code(state):
    cause = "remote" if state == "not_checked" else ""
    (claim,) = read_claims(b"", ContentCredentials(state, cause, signer="Ada Example"))
    assert claim.code == f"credentials_{state}" and claim.code in CODES and not speaks_of_ai(claim)
    checked = state in ("valid", "valid_untrusted", "invalid")
    assert claims_said((claim,)) == [CAVEAT, *([CREDENTIALS_WORTH[claim.code]] if checked else [])]


def test_claims_of_a_generated_picture():
    found = check(generated())
    stamped = replace(found, signed_at="2026-01-02T03:04:05+00:00")
    assert read_claims(generated(), stamped) == (
        Claim("credentials", "C2PA", "unchanged, signed by Ada Example, Example Press, who is not on a list of trusted "
              "ones", "credentials_valid_untrusted"),
        Claim("credentials", "C2PA", "picture made by generative AI", "credentials_ai"),
        Claim("credentials", "C2PA", "what was done: created", "credentials_actions"),
        Claim("software", "C2PA", "Example Camera 1.2", "software"),
        Claim("date", "C2PA", "signed 2026-01-02T03:04:05+00:00", "date_signed"),
    )  # fmt: skip
    assert [claim.code for claim in read_claims(generated(), found) if speaks_of_ai(claim)] == ["credentials_ai"]
    assert not any(map(speaks_of_ai, read_claims(taken(), check(taken()))))
    assert not any(map(speaks_of_ai, read_claims(generated(), replace(found, state="invalid", same_picture=False))))


def test_an_answer_is_ready_for_json():
    assert json.loads(json.dumps(vars(check(taken()))))["actions"] == ["c2pa.created"]
