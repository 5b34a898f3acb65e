"""What a picture file says of itself: camera, date, software, AI generator, Content Credentials.

All of this is a claim of the file, never proof: anyone can write it, change it or take it out, and most platforms take
it out. It has no part in the verdict.

Of Content Credentials (C2PA) only the presence is told, and whether they speak of AI. To check their signatures takes
c2pa-python, which would be the largest part of a light installation: version 0.38.1 is a wheel of 16 MB, 55 MB once
unpacked, and brings `requests` and `cryptography` along.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from detect.blocks import Blocks, read_blocks
from detect.exif import CHANGED, COMMENT, MAKE, MODEL, SOFTWARE, TAKEN, read_tags
from detect.picture import MAX_BYTES

CAVEAT = "This is what the file says of itself. Anyone can write, change or remove it: it proves nothing."
KINDS = ("generator", "credentials", "software", "camera", "date")  # the weightiest first
MAX_LENGTH = 120  # characters of a claim's text
MAX_VALUE = 65_536  # bytes of an EXIF value; a prompt with its settings is the longest

CREDENTIALS = "Content Credentials are present, not verified"
MADE_BY_AI = "made by generative AI"
MADE_WITH_AI = "edited with generative AI"

# IPTC's Digital Source Type, http://cv.iptc.org/newscodes/digitalsourcetype: the two kinds that mean generative AI
_SOURCE_TYPES = {b"trainedAlgorithmicMedia": MADE_BY_AI, b"compositeWithTrainedAlgorithmicMedia": MADE_WITH_AI}
_SOURCE_TYPE = b"(" + b"|".join(_SOURCE_TYPES) + rb")\b"
_IN_XMP = re.compile(rb"DigitalSourceType[^\"'<>]{0,40}[\"'>]\s{0,9}[^\"'<>\s]{0,100}?\b" + _SOURCE_TYPE)
_IN_CREDENTIALS = re.compile(rb"digitalsourcetype/" + _SOURCE_TYPE)
_CREATOR_TOOL = re.compile(rb"\bCreatorTool(?:\s{0,9}=\s{0,9}[\"']|\s{0,9}>)([^\"'<>]{1,500})")

_GENERATORS = re.compile(
    r"\b(?:NovelAI|Midjourney|DALL[-·•]?E|Stable ?Diffusion|ComfyUI|InvokeAI|Adobe Firefly|Fooocus|Draw Things)\b", re.I
)
# Keyword of a PNG text, what its text holds where a generator wrote it, the generator
_SETTINGS = (
    ("parameters", re.compile(rb"\bSteps: \d{1,4},.{0,80}\bSampler:", re.S), "Stable Diffusion web UI"),
    ("prompt", re.compile(rb'"class_type"'), "ComfyUI"),
    ("workflow", re.compile(rb'"nodes"'), "ComfyUI"),
    ("invokeai_metadata", re.compile(rb"\{"), "InvokeAI"),
    ("sd-metadata", re.compile(rb"\{"), "InvokeAI"),
    ("Dream", re.compile(rb"\s-[sSWHC] ?\d"), "InvokeAI"),
)
_WANTED = frozenset({MAKE, MODEL, SOFTWARE, CHANGED, TAKEN, COMMENT})


@dataclass(frozen=True)
class Claim:
    """One thing that a file says of itself."""

    kind: str  # one of KINDS
    source: str  # where in the file: "EXIF" | "XMP" | "PNG text" | "C2PA"
    text: str  # one line of 1 to MAX_LENGTH printable characters. May hold markup: escape it before it goes on a page


def speaks_of_ai(claim: Claim) -> bool:
    """Whether a claim says that generative AI had a part in the picture."""
    return claim.kind == "generator" or (claim.kind == "credentials" and claim.text != CREDENTIALS)


def read_claims(data: bytes) -> tuple[Claim, ...]:
    """What a file says of itself, the weightiest first. Never raises; thread-safe.

    Place, owner and serial numbers are not read, nor is the text of prompts; a generator's settings are told by their
    presence alone. Names of cameras and programs are given as the file has them.

    Args:
        data: the file's bytes, of any kind and in any state; nothing is read of more than MAX_BYTES.

    Returns:
        Claims, each kind and text once; empty where nothing is said, or nothing that is known here.
    """
    if len(data) > MAX_BYTES:
        return ()
    blocks = read_blocks(data)
    tags = read_tags(blocks.exif, _WANTED, MAX_VALUE)
    claims = [*_generators(blocks, tags), *_credentials(blocks), *_software(blocks, tags), *_camera(tags)]
    once: dict[tuple[str, str], Claim] = {}
    for claim in claims:
        if claim.text:
            once.setdefault((claim.kind, claim.text), claim)
    return tuple(sorted(once.values(), key=lambda claim: KINDS.index(claim.kind)))


def _generators(blocks: Blocks, tags: dict[int, bytes]) -> list[Claim]:
    """Settings that image generators leave in their files, and IPTC's mark of generated media."""
    claims = [
        Claim("generator", "PNG text", f"settings of {name}")
        for keyword, pattern, name in _SETTINGS
        if pattern.search(blocks.texts.get(keyword, b""))
    ]
    comment = tags.get(COMMENT, b"")[8:].replace(b"\0", b"")  # after its encoding; in UTF-16, digits have a zero byte
    if _SETTINGS[0][1].search(comment):
        claims.append(Claim("generator", "EXIF", f"settings of {_SETTINGS[0][2]}"))
    if _is_workflow(tags.get(MAKE, b"")) or _is_workflow(tags.get(MODEL, b"")):
        claims.append(Claim("generator", "EXIF", "settings of ComfyUI"))
    claims += [Claim("generator", "XMP", text) for text in _source_types(_IN_XMP, blocks.xmp)]
    return claims


def _is_workflow(value: bytes) -> bool:
    """Whether ComfyUI has put its settings where the camera's name belongs, as it does in WebP files."""
    return value.startswith((b"prompt:{", b"workflow:{"))


def _source_types(pattern: re.Pattern, data: bytes) -> list[str]:
    return [_SOURCE_TYPES[kind] for kind in dict.fromkeys(pattern.findall(data))]


def _credentials(blocks: Blocks) -> list[Claim]:
    if not blocks.credentials:
        return []
    kinds = _source_types(_IN_CREDENTIALS, blocks.credentials)  # of the picture or of a picture that it was made from
    spoken_of = [f"; they speak of media {text}" for text in kinds] or [""]
    return [Claim("credentials", "C2PA", CREDENTIALS + text) for text in spoken_of]


def _software(blocks: Blocks, tags: dict[int, bytes]) -> list[Claim]:
    """Names of programs; the names of generators among them make claims of a generator."""
    tool = _CREATOR_TOOL.search(blocks.xmp)
    named = (
        ("PNG text", _line(blocks.texts.get("Software", b""))),
        ("EXIF", _line(tags.get(SOFTWARE, b""))),
        ("XMP", _line(tool[1]) if tool else ""),
    )
    return [Claim("generator" if _GENERATORS.search(name) else "software", source, name) for source, name in named]


def _camera(tags: dict[int, bytes]) -> list[Claim]:
    claims = []
    if not (_is_workflow(tags.get(MAKE, b"")) or _is_workflow(tags.get(MODEL, b""))):
        make, model = _line(tags.get(MAKE, b"")), _line(tags.get(MODEL, b""))
        brand = make.partition(" ")[0].lower()
        text = model if brand and model.lower().startswith(brand) else f"{make} {model}".strip()
        claims.append(Claim("camera", "EXIF", text[:MAX_LENGTH].strip()))
    for tag, what in ((TAKEN, "taken"), (CHANGED, "last changed")):
        try:
            date = datetime.strptime(tags.get(tag, b"")[:19].decode("ascii"), "%Y:%m:%d %H:%M:%S")
        except ValueError:
            continue  # missing, or no date, such as the zeros of a camera whose clock was not set
        claims.append(Claim("date", "EXIF", f"{what} {date}"))
    return claims


def _line(value: bytes) -> str:
    """Bytes up to the first zero as one line of printable characters, at most MAX_LENGTH."""
    text = value[: 4 * MAX_LENGTH].partition(b"\0")[0].decode("utf-8", "replace")
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:MAX_LENGTH].strip()
