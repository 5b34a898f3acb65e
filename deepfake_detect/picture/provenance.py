"""What a picture file says of itself: camera, date, software, AI generator, Content Credentials.

All of this is a claim of the file, never proof: anyone can write it, change it or take it out, and most platforms take
it out. It has no part in the verdict.

Content Credentials (C2PA) are told as `deepfake_detect.picture.content_credentials` has found them; where that was not
asked, by their presence, and by whether they speak of AI.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from deepfake_detect.picture import content_credentials as c2pa
from deepfake_detect.picture.claim_text import MAX_LENGTH, one_line
from deepfake_detect.picture.content_credentials import ContentCredentials
from deepfake_detect.picture.decode import MAX_BYTES
from deepfake_detect.picture.embedded_metadata import Blocks, read_blocks
from deepfake_detect.picture.exif import CHANGED, COMMENT, MAKE, MODEL, SOFTWARE, TAKEN, read_tags

CAVEAT = "This is what the file says of itself. Anyone can write, change or remove it: it proves nothing."
KINDS = ("generator", "credentials", "software", "camera", "date")  # the weightiest first
MAX_VALUE = 65_536  # bytes of an EXIF value; a prompt with its settings is the longest

SETTINGS_OF = "settings of {}"
SPOKEN_OF = "they speak of media {}"
CREDENTIALS = "Content Credentials are present, not verified"
MADE_BY_AI = "made by generative AI"
MADE_WITH_AI = "edited with generative AI"
OTHER_PICTURE = "not valid: the picture was changed after it was signed"
RUN_OUT = "not valid: the certificate of {} was not in force, and no time stamp shows that it once was"
NOT_SOUND = "not valid: the signature does not hold"
UNKNOWN_SIGNER = "an unnamed signer"
STATES = {
    c2pa.VALID: "valid and unchanged, signed by {}",
    c2pa.VALID_UNTRUSTED: "unchanged, signed by {}, who is not on a list of trusted ones",
    c2pa.UNREADABLE: "present, but they cannot be read",
    c2pa.NOT_CHECKED: CREDENTIALS,
}
# What a claim is, for programs. In those of Content Credentials, the state and how the picture was made are added.
CODES = {
    "ai_made": "A mark of the file says that generative AI made the picture.",
    "ai_edited": "A mark of the file says that generative AI edited the picture.",
    "ai_settings": "The file holds settings such as an image generator writes.",
    "ai_program": "The program that wrote the file is an image generator.",
    **{f"credentials_{state}": text for state, text in c2pa.STATES.items() if state != c2pa.NONE},
    **{f"credentials_{made}": f"Content Credentials say: {text}" for made, text in c2pa.MADE.items()},
    "credentials_actions": "What was done to the picture, as its Content Credentials say.",
    "software": "The program that wrote the file.",
    "camera": "The camera.",
    "date_taken": "When the picture was taken.",
    "date_changed": "When the file was last changed.",
    "date_signed": "When its Content Credentials were signed, by their time stamp.",
}
OF_AI = frozenset({
    "ai_made", "ai_edited", "ai_settings", "ai_program", "credentials_ai", "credentials_ai_edited",
})  # fmt: skip
OF_EDITING = frozenset({"ai_edited", "credentials_ai_edited"})  # those of them that leave a photograph below it

# IPTC's Digital Source Type, http://cv.iptc.org/newscodes/digitalsourcetype: the two kinds that mean generative AI
SOURCE_TYPES = {b"trainedAlgorithmicMedia": MADE_BY_AI, b"compositeWithTrainedAlgorithmicMedia": MADE_WITH_AI}
MADE_CODES = {MADE_BY_AI: ("ai_made", "credentials_ai"), MADE_WITH_AI: ("ai_edited", "credentials_ai_edited")}
_SAID_OF = {
    c2pa.MADE_BY_AI: "picture made by generative AI",
    c2pa.EDITED_BY_AI: "picture made in part by generative AI",
    c2pa.CAPTURED: "picture taken by a camera",
}
_SOURCE_TYPE = b"(" + b"|".join(SOURCE_TYPES) + rb")\b"
IN_XMP = re.compile(rb"DigitalSourceType[^\"'<>]{0,40}[\"'>]\s{0,9}[^\"'<>\s]{0,100}?\b" + _SOURCE_TYPE)
IN_CREDENTIALS = re.compile(rb"digitalsourcetype/" + _SOURCE_TYPE)
CREATOR_TOOL = re.compile(rb"\bCreatorTool(?:\s{0,9}=\s{0,9}[\"']|\s{0,9}>)([^\"'<>]{1,500})")

GENERATORS = re.compile(
    r"\b(?:NovelAI|Midjourney|DALL[-·•]?E|Stable ?Diffusion|ComfyUI|InvokeAI|Adobe Firefly|Fooocus|Draw Things)\b", re.I
)
# Keyword of a PNG text, what its text holds where a generator wrote it, the generator
SETTINGS = (
    ("parameters", re.compile(rb"\bSteps: \d{1,4},.{0,80}\bSampler:", re.S), "Stable Diffusion web UI"),
    ("prompt", re.compile(rb'"class_type"'), "ComfyUI"),
    ("workflow", re.compile(rb'"nodes"'), "ComfyUI"),
    ("invokeai_metadata", re.compile(rb"\{"), "InvokeAI"),
    ("sd-metadata", re.compile(rb"\{"), "InvokeAI"),
    ("Dream", re.compile(rb"\s-[sSWHC] ?\d"), "InvokeAI"),
)
COMFY = "ComfyUI"
WORKFLOW = (b"prompt:{", b"workflow:{")  # how the camera's name begins where ComfyUI has put its settings there
DATES = ((TAKEN, "taken {}", "date_taken"), (CHANGED, "last changed {}", "date_changed"))
_WANTED = frozenset({MAKE, MODEL, SOFTWARE, CHANGED, TAKEN, COMMENT})


@dataclass(frozen=True)
class Claim:
    """One thing that a file says of itself."""

    kind: str  # one of KINDS
    source: str  # where in the file: "EXIF" | "XMP" | "PNG text" | "C2PA"
    text: str  # one line of 1 to MAX_LENGTH printable characters. May hold markup: escape it before it goes on a page
    code: str = ""  # of CODES


def speaks_of_ai(claim: Claim) -> bool:
    """Whether a claim says that generative AI had a part in the picture."""
    return claim.code in OF_AI


def read_claims(data: bytes, credentials: ContentCredentials | None = None) -> tuple[Claim, ...]:
    """What a file says of itself, the weightiest first. Never raises; thread-safe.

    Place, owner and serial numbers are not read, nor is the text of prompts; a generator's settings are told by their
    presence alone. Names of cameras and programs are given as the file has them.

    Args:
        data: the file's bytes, of any kind and in any state; nothing is read of more than MAX_BYTES.
        credentials: of the same bytes, see `deepfake_detect.picture.content_credentials.check_credentials`; not
            checked where it is not given.

    Returns:
        Claims, each kind and text once; empty where nothing is said, or nothing that is known here.
    """
    if len(data) > MAX_BYTES:
        return ()
    blocks = read_blocks(data)
    tags = read_tags(blocks.exif, _WANTED, MAX_VALUE)
    claims = [
        *_generators(blocks, tags),
        *(_credentials(blocks) if credentials is None else _checked(credentials, blocks)),
        *_software(blocks, tags),
        *_camera(tags),
    ]
    once: dict[tuple[str, str], Claim] = {}
    for claim in claims:
        if claim.text:
            once.setdefault((claim.kind, claim.text), claim)
    return tuple(sorted(once.values(), key=lambda claim: KINDS.index(claim.kind)))


def _generators(blocks: Blocks, tags: dict[int, bytes]) -> list[Claim]:
    """Settings that image generators leave in their files, and IPTC's mark of generated media."""
    claims = [
        Claim("generator", "PNG text", SETTINGS_OF.format(name), "ai_settings")
        for keyword, pattern, name in SETTINGS
        if pattern.search(blocks.texts.get(keyword, b""))
    ]
    comment = tags.get(COMMENT, b"")[8:].replace(b"\0", b"")  # after its encoding; in UTF-16, digits have a zero byte
    if SETTINGS[0][1].search(comment):
        claims.append(Claim("generator", "EXIF", SETTINGS_OF.format(SETTINGS[0][2]), "ai_settings"))
    if _is_workflow(tags.get(MAKE, b"")) or _is_workflow(tags.get(MODEL, b"")):
        claims.append(Claim("generator", "EXIF", SETTINGS_OF.format(COMFY), "ai_settings"))
    claims += [Claim("generator", "XMP", text, MADE_CODES[text][0]) for text in _source_types(IN_XMP, blocks.xmp)]
    return claims


def _is_workflow(value: bytes) -> bool:
    """Whether ComfyUI has put its settings where the camera's name belongs, as it does in WebP files."""
    return value.startswith(WORKFLOW)


def _source_types(pattern: re.Pattern, data: bytes) -> list[str]:
    return [SOURCE_TYPES[kind] for kind in dict.fromkeys(pattern.findall(data))]


def _credentials(blocks: Blocks) -> list[Claim]:
    """Of Content Credentials that nobody has checked."""
    if not blocks.credentials:
        return []
    return [Claim("credentials", "C2PA", CREDENTIALS, "credentials_not_checked"), *_spoken_of(blocks)]


def _spoken_of(blocks: Blocks) -> list[Claim]:
    """What Content Credentials say that nobody could check: of the picture or of a picture that it was made from."""
    kinds = _source_types(IN_CREDENTIALS, blocks.credentials)
    return [Claim("credentials", "C2PA", SPOKEN_OF.format(text), MADE_CODES[text][1]) for text in kinds]


def _checked(credentials: ContentCredentials, blocks: Blocks) -> list[Claim]:
    """Of Content Credentials as the check has found them."""
    if not credentials.present:
        return []
    found = [Claim("credentials", "C2PA", _state(credentials), f"credentials_{credentials.state}")]
    if credentials.state in (c2pa.NOT_CHECKED, c2pa.UNREADABLE):
        found += _spoken_of(blocks)
    if credentials.made and (credentials.state != c2pa.INVALID or _has_only_run_out(credentials)):
        found.append(Claim("credentials", "C2PA", _SAID_OF[credentials.made], f"credentials_{credentials.made}"))
    if credentials.actions:
        done = ", ".join(action.removeprefix("c2pa.") for action in credentials.actions)
        found.append(Claim("credentials", "C2PA", one_line(f"what was done: {done}"), "credentials_actions"))
    found.append(Claim("software", "C2PA", credentials.generator, "software"))
    if credentials.signed_at:
        found.append(Claim("date", "C2PA", one_line(f"signed {credentials.signed_at}"), "date_signed"))
    return found


def _state(credentials: ContentCredentials) -> str:
    signer = credentials.signer or UNKNOWN_SIGNER
    if credentials.state != c2pa.INVALID:
        return one_line(STATES[credentials.state].format(signer))
    if credentials.same_picture is False:
        return OTHER_PICTURE
    return one_line(RUN_OUT.format(signer)) if _has_only_run_out(credentials) else NOT_SOUND


def _has_only_run_out(credentials: ContentCredentials) -> bool:
    return bool(credentials.same_picture) and "signingCredential.expired" in credentials.problems


def _software(blocks: Blocks, tags: dict[int, bytes]) -> list[Claim]:
    """Names of programs; the names of generators among them make claims of a generator."""
    tool = CREATOR_TOOL.search(blocks.xmp)
    named = (
        ("PNG text", _line(blocks.texts.get("Software", b""))),
        ("EXIF", _line(tags.get(SOFTWARE, b""))),
        ("XMP", _line(tool[1]) if tool else ""),
    )
    return [
        Claim("generator", source, name, "ai_program")
        if GENERATORS.search(name)
        else Claim("software", source, name, "software")
        for source, name in named
    ]


def _camera(tags: dict[int, bytes]) -> list[Claim]:
    claims = []
    if not (_is_workflow(tags.get(MAKE, b"")) or _is_workflow(tags.get(MODEL, b""))):
        make, model = _line(tags.get(MAKE, b"")), _line(tags.get(MODEL, b""))
        brand = make.partition(" ")[0].lower()
        text = model if brand and model.lower().startswith(brand) else f"{make} {model}".strip()
        claims.append(Claim("camera", "EXIF", text[:MAX_LENGTH].strip(), "camera"))
    for tag, what, code in DATES:
        try:
            date = datetime.strptime(tags.get(tag, b"")[:19].decode("ascii"), "%Y:%m:%d %H:%M:%S")
        except ValueError:
            continue  # missing, or no date, such as the zeros of a camera whose clock was not set
        claims.append(Claim("date", "EXIF", what.format(date), code))
    return claims


def _line(value: bytes) -> str:
    """Bytes up to the first zero as one line of printable characters, at most MAX_LENGTH."""
    return one_line(value[: 4 * MAX_LENGTH].partition(b"\0")[0].decode("utf-8", "replace"))
