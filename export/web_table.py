"""The constants, sentences and codes of the Python side, as a module for the browser: nothing of it is typed twice."""

import json
import re
from types import ModuleType

from deepfake_detect import crowd, detector, errors
from deepfake_detect.evidence import robustness
from deepfake_detect.face import border, finder, quality, second_look, tilt, yunet
from deepfake_detect.picture import claim_text, decode, embedded_metadata, exif, provenance
from deepfake_detect.verdict import KINDS, REASONS, Reason
from export.web_texts import CODES, FAULTS, PAGE

MODULES = (
    border, claim_text, crowd, decode, detector, embedded_metadata, exif, finder, provenance, quality, robustness,
    second_look, tilt, yunet,
)  # fmt: skip
# The browser's name of a sentence -> what holds it here
SENTENCES = {
    "BLURRED": quality.BLURRED,
    "DAMAGED": decode.DAMAGED,
    "DISAGREE": detector.DISAGREE,
    "EMPTY": decode.EMPTY,
    "ENLARGED": quality.ENLARGED,
    "FLIPS": robustness.FLIPS,
    "IN_BAND": detector.IN_BAND,
    "LEFT_OUT": crowd.LEFT_OUT,
    "MANY": crowd.MANY,
    "MANY_TOO_SMALL": quality.MANY_TOO_SMALL,
    "NO_FACE": detector.NO_FACE,
    "PLACES_LEFT_OUT": detector.PLACES_LEFT_OUT,
    "SMALL": crowd.SMALL,
    "TOO_FEW_PIXELS": decode.TOO_FEW_PIXELS,
    "TOO_LARGE": decode.TOO_LARGE,
    "TOO_MANY_BYTES": decode.TOO_MANY_BYTES,
    "TOO_SMALL": quality.TOO_SMALL,
    **FAULTS,
}


def table() -> dict:
    """{module's name: its constants, "sentences", "page": texts, "reasons", "kinds" and "errors": codes with their
    meaning}."""
    constants = {module.__name__.rpartition(".")[2]: _constants(module) for module in MODULES}
    sentences = {name: said.text if isinstance(said, Reason) else said for name, said in SENTENCES.items()}
    codes = {"reasons": REASONS, "kinds": KINDS, "errors": errors.CODES | CODES}
    return {**constants, "sentences": sentences, **codes, "page": PAGE}


def table_module() -> str:
    """The table as the text of a JavaScript module: JSON behind one word, as not every browser imports JSON itself."""
    return f"export const table = {json.dumps(table(), ensure_ascii=False, indent=1)};\n"


def _constants(module: ModuleType) -> dict:
    """A module's constants by their names in capitals, as far as JSON can say them."""
    values = {name: value for name, value in vars(module).items() if name.isupper() and not name.startswith("_")}
    return {name: _as_json(value) for name, value in values.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str | bytes) for key in value) and all(map(_is_plain, value.values()))
    if isinstance(value, tuple | frozenset):
        return all(map(_is_plain, value))
    return isinstance(value, int | float | str | bytes | re.Pattern)


def _as_json(value):
    """A constant for JavaScript: bytes are text of one character a byte, a pattern is what makes a RegExp."""
    if isinstance(value, dict):
        return {_as_json(key): _as_json(held) for key, held in value.items()}
    if isinstance(value, tuple | frozenset):
        held = [_as_json(one) for one in value]
        return sorted(held, key=str) if isinstance(value, frozenset) else held
    if isinstance(value, re.Pattern):
        flags = "".join(sign for sign, flag in (("i", re.I), ("s", re.S)) if value.flags & flag)
        return {"source": _as_json(value.pattern), "flags": flags}
    return value.decode("latin-1") if isinstance(value, bytes) else value
