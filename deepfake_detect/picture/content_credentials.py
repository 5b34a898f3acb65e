"""Content Credentials (C2PA) of a picture file: who signed them, what they say, whether the picture is still the same.

A valid signature shows who has said something and that nothing was changed since; it does not show that it is true.
The check has no part in the verdict.

Nothing is fetched: neither credentials that lie elsewhere, nor whether a certificate was recalled. Whom to trust is
told by a list of certificates; the official C2PA trust list is not part of this package. Without a list, no signer is
trusted.
"""

import importlib.util
import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deepfake_detect.picture.claim_text import one_line
from deepfake_detect.picture.decode import MAX_BYTES
from deepfake_detect.picture.embedded_metadata import C2PA_TYPE, read_blocks

ANCHORS = "C2PA_TRUST_ANCHORS"  # environment variable: path of a PEM file with the certificates of trusted authorities
SECONDS = 20.0  # that a check may take
MAX_REPORT = 2**23  # bytes of the library's report
MAX_SIGNER, MAX_ACTIONS, MAX_PROBLEMS = 60, 12, 12  # characters; how many

VALID, VALID_UNTRUSTED, INVALID = "valid", "valid_untrusted", "invalid"
NONE, UNREADABLE, NOT_CHECKED = "none", "unreadable", "not_checked"
STATES = {
    VALID: "Signature and hashes hold, and the signer is on the list of trusted ones.",
    VALID_UNTRUSTED: "Signature and hashes hold; the signer is not on a list of trusted ones.",
    INVALID: "The signature or a hash does not hold: the file is not as it was signed, or its certificate not sound.",
    NONE: "The file has no Content Credentials.",
    UNREADABLE: "There are Content Credentials, but damaged or such that they cannot be read within the limits.",
    NOT_CHECKED: "They were not checked; `cause` says why.",
}
CAUSES = {
    "package_missing": "c2pa-python is not installed, or cannot run here.",
    "anchors_unreadable": f"The list of trusted signers, which {ANCHORS} names, cannot be read as certificates in PEM.",
    "remote": "The Content Credentials lie at an address on the internet, which is not asked.",
    "no_process": "The process that reads them cannot be started, or ended without an answer.",
}
MADE_BY_AI, EDITED_BY_AI, CAPTURED = "ai", "ai_edited", "camera"
MADE = {
    MADE_BY_AI: "Generative AI made the picture.",
    EDITED_BY_AI: "Generative AI had a part in the picture.",
    CAPTURED: "A camera took the picture.",
}

_READER = Path(__file__).with_name("credentials_reader.py")
_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP")
_GENERATED = "trainedAlgorithmicMedia"
_SOURCES_OF_AI = frozenset({_GENERATED, "compositeWithTrainedAlgorithmicMedia"})
_SOURCES_OF_CAMERAS = frozenset({"digitalCapture", "computationalCapture", "compositeCapture"})
_OTHER_PICTURE = re.compile(r"assertion\.(?:data|bmff|boxes|collection|multiAsset)Hash\.mismatch")
_SAME_PICTURE = re.compile(r"assertion\.(?:data|bmff|boxes|collection|multiAsset)Hash\.match")
_FORGED = re.compile(r"claimSignature\.(?!insideValidity|validated)|assertion\.hashedURI\.mismatch|claim\.")
_REMOTE = re.compile(rb"dcterms:provenance\s{0,9}[=>]\s{0,9}[\"']?https?:", re.I)


@dataclass(frozen=True)
class ContentCredentials:
    """What the Content Credentials of a file say, and whether they hold. Texts are one line of printable characters and
    may hold markup: escape them before they go on a page."""

    state: str  # of STATES
    cause: str = ""  # of CAUSES, where the state is "not_checked"
    signer: str = ""  # the name in the certificate, with the organisation's; at most MAX_SIGNER characters each
    generator: str = ""  # the program or device that wrote them
    actions: tuple[str, ...] = ()  # C2PA's names of what was done, such as "c2pa.created"; at most MAX_ACTIONS
    made: str = ""  # of MADE, "" where nothing of it is said
    signed_at: str = ""  # ISO 8601, of a time stamp; "" where there is none
    same_picture: bool | None = None  # whether the bytes of the picture are those that were signed; None: not known
    problems: tuple[str, ...] = ()  # C2PA's codes of what does not hold, such as "assertion.dataHash.mismatch"

    @property
    def present(self) -> bool:
        """Whether there is something to tell: everything but a file without Content Credentials."""
        return self.state != NONE


def check_credentials(
    data: bytes, media_type: str | None = None, anchors: str | None = None, seconds: float = SECONDS
) -> ContentCredentials:
    """Read and check the Content Credentials of a picture. Raises nothing, whatever the bytes are; thread-safe.

    A file without them costs a search through its bytes, one with them a process of about a third of a second.

    Args:
        data: the whole file; nothing is read of more than MAX_BYTES.
        media_type: of the file, such as "image/jpeg"; recognised where it is not given.
        anchors: PEM text with the certificates of trusted authorities; of the file that ANCHORS names where it is not
            given, and if that is not set, nobody is trusted.
        seconds: after which the check is given up, as unreadable.
    """
    if len(data) > MAX_BYTES or C2PA_TYPE not in data:
        remote = len(data) <= MAX_BYTES and _REMOTE.search(read_blocks(data).xmp)
        return ContentCredentials(NOT_CHECKED, "remote") if remote else ContentCredentials(NONE)
    if importlib.util.find_spec("c2pa") is None:
        return ContentCredentials(NOT_CHECKED, "package_missing")
    named = os.environ.get(ANCHORS, "").strip()
    try:
        anchors = Path(named).read_text(encoding="utf-8") if anchors is None and named else anchors
        if anchors is not None:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=anchors)
    except (OSError, ValueError):  # no such file, no text, or no certificates in it, which the library would pass over
        return ContentCredentials(NOT_CHECKED, "anchors_unreadable")
    head = json.dumps({"media_type": media_type, "anchors": anchors}).encode() + b"\n"
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(_READER)], input=head + data, capture_output=True, timeout=seconds,
            env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ContentCredentials(UNREADABLE)
    except (OSError, ValueError):  # no more processes, no memory for one, or no path of Python
        return ContentCredentials(NOT_CHECKED, "no_process")
    if done.returncode < 0:  # ended by a signal: a crash, or more time or memory than it may take
        return ContentCredentials(UNREADABLE)
    return _answered(done.stdout)


def _answered(out: bytes) -> ContentCredentials:
    """Of what the process has printed."""
    try:
        answer = json.loads(out)
    except ValueError:  # it ended in the middle, for one for lack of memory
        return ContentCredentials(NOT_CHECKED, "no_process") if not out else ContentCredentials(UNREADABLE)
    failed = answer.get("failed")
    if failed in (NONE, UNREADABLE):
        return ContentCredentials(failed)
    if failed:
        return ContentCredentials(NOT_CHECKED, failed)
    if len(answer["store"]) > MAX_REPORT:
        return ContentCredentials(UNREADABLE)
    try:
        return _of_store(json.loads(answer["store"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # a report of another shape
        return ContentCredentials(UNREADABLE)


def _of_store(store: dict) -> ContentCredentials:
    """Of the library's report on a manifest store. Raises what a report of another shape leads to."""
    manifests = store["manifests"]
    active = manifests[store["active_manifest"]]
    results = (store.get("validation_results") or {}).get("activeManifest") or {}
    holds, fails = ([row["code"] for row in results.get(part) or []] for part in ("success", "failure"))
    problems = [code for code in dict.fromkeys(fails) if code != "signingCredential.untrusted"]
    signature = active.get("signature_info") or {}
    return ContentCredentials(
        {"Trusted": VALID, "Valid": VALID_UNTRUSTED}.get(store.get("validation_state", ""), INVALID),
        signer=_signer(signature),
        generator=_generator(active),
        actions=tuple(one_line(str(action["action"])) for action in _actions(active))[:MAX_ACTIONS],
        made=_made(manifests, store["active_manifest"]),
        signed_at=one_line(str(signature.get("time") or "")),
        same_picture=_same_picture(holds, fails),
        problems=tuple(one_line(str(code)) for code in problems)[:MAX_PROBLEMS],
    )


def _same_picture(holds: list[str], fails: list[str]) -> bool | None:
    """Of the codes of what holds and what does not: the hash counts only where the signature covers it."""
    if any(map(_OTHER_PICTURE.fullmatch, fails)):
        return False
    covered = "claimSignature.validated" in holds and not any(map(_FORGED.match, fails))
    return True if covered and any(map(_SAME_PICTURE.fullmatch, holds)) else None


def _signer(signature: dict) -> str:
    names = (one_line(str(signature.get(part) or ""), MAX_SIGNER) for part in ("common_name", "issuer"))
    return ", ".join(dict.fromkeys(name for name in names if name))


def _generator(manifest: dict) -> str:
    infos = manifest.get("claim_generator_info") or [{}]
    name = f"{infos[0].get('name') or ''} {infos[0].get('version') or ''}".strip()
    return one_line(name or str(manifest.get("claim_generator") or ""))


def _actions(manifest: dict) -> Iterator[dict]:
    for assertion in manifest.get("assertions") or []:
        if str(assertion["label"]).startswith("c2pa.actions"):
            yield from assertion["data"].get("actions") or []


def _made(manifests: dict, label: str) -> str:
    """How the picture came about: as the active manifest says, and those of the pictures that it was edited from; AI
    in pictures that were put into it counts as a part."""
    line: set[str] = set()
    parts: set[str] = set()
    waiting, seen = [(label, True)], set()
    while waiting:
        label, in_line = waiting.pop()
        if label in seen or label not in manifests:
            continue
        seen.add(label)
        manifest = manifests[label]
        sources = {str(action.get("digitalSourceType") or "").rpartition("/")[2] for action in _actions(manifest)}
        (line if in_line else parts).update(sources)
        for ingredient in manifest.get("ingredients") or []:
            parent = in_line and ingredient.get("relationship") == "parentOf"
            waiting.append((ingredient.get("active_manifest"), parent))
    captured = bool(line & _SOURCES_OF_CAMERAS)
    if _GENERATED in line and not captured:
        return MADE_BY_AI
    if (line | parts) & _SOURCES_OF_AI:
        return EDITED_BY_AI
    return CAPTURED if captured else ""
