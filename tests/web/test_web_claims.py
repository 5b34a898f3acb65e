"""What a file says of itself, and what the card says of a verdict: in JavaScript the same as in Python."""

import json
import re
import shutil
import struct
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest
from pictures import chunk, encoded
from PIL import ExifTags, Image
from project import ROOT
from provenance_files import (
    AI_TYPE,
    SETTINGS,
    exif_with,
    jpeg_with,
    png_with,
    private_exif,
    segments,
    webp_with,
    with_xmp,
    xmp,
)
from provenance_files import (
    PICTURE as PLAIN,
)
from provenance_files import (
    jumbf as jumbf_box,
)
from provenance_files import (
    text as text_chunk,
)
from waiting import LONG
from web_site import needed

from deepfake_detect.evidence.robustness import Rescore, Stability
from deepfake_detect.picture.provenance import CODES, MAX_BYTES, Claim, read_claims, speaks_of_ai
from deepfake_detect.report.card import card_of
from deepfake_detect.report.card_texts import UNSURE_WHY
from deepfake_detect.verdict import FAKE, REAL, UNSURE, Face, Reason, Verdict, label_of
from export.web_table import table_module

STYLES = ("JPEG", "PNG", "WEBP", "TIFF")  # of which browsers and Python read the same
BEGIN = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"II*\0", b"MM\0*")  # how these begin
BAND = (0.31, 0.94)
RATES = {FAKE: "Of 100 one.", REAL: "Of 100 two.", UNSURE: "Three."}


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """The modules of web/ with their table, for Node.js."""
    needed(shutil.which("node") is not None, "Node.js is not installed")
    folder = tmp_path_factory.mktemp("library") / "web"
    shutil.copytree(ROOT / "web", folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "table.js").write_text(table_module(), encoding="utf-8")
    return folder


def answered(folder: Path, program: str) -> list:
    """What a program in this folder prints as JSON."""
    (folder / "program.mjs").write_text(program, encoding="utf-8")
    words = ["node", "program.mjs"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=LONG, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def files() -> dict[str, bytes]:
    """Files that say every kind of thing of themselves, or that only look as if they did."""
    workflow = Image.Exif()
    workflow[ExifTags.Base.Model], workflow[ExifTags.Base.Make] = 'prompt:{"1": {}}', 'workflow:{"nodes": []}'
    found = {
        "workflow": encoded(PLAIN, "WEBP", exif=workflow),
        "not a picture": b"hello",
        "nothing": b"",
        "odd chunk": webp_with(b"JUNK", b"abc") + b"C2PA" + struct.pack("<I", len(jumbf_box())) + jumbf_box(),
        "other box": jpeg_with(segments(jumbf_box(kind=b"json") + bytes(16))),
        "long box": jpeg_with(
            segments(jumbf_box(bytes(70_000) + AI_TYPE.encode() + b"trainedAlgorithmicMedia" + b"\0"))
        ),
        "damaged text": png_with(chunk(b"zTXt", b"parameters\0\0no zlib at all")),
        "packed text": png_with(text_chunk("parameters", SETTINGS + " " * 500_000, b"zTXt")),
        "same name twice": png_with(text_chunk("Software", "GIMP"), after=text_chunk("Software", "Midjourney")),
        "long name": png_with(text_chunk("Software", "ä" * 300, b"iTXt")),
        "name of signs": png_with(text_chunk("Software", "a\u202eb\n\tc  \u00a0d\ufeff<b>🙂", b"iTXt")),
    }
    for style in STYLES:
        found |= {
            f"plain {style}": encoded(PLAIN, style),
            f"camera {style}": encoded(PLAIN, style, exif=private_exif().tobytes()),
            f"tool {style}": with_xmp(style, xmp("><xmp:CreatorTool>Adobe Photoshop 25.0 – ß</xmp:CreatorTool>")),
        }
        for kind in ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "digitalCapture"):
            block = xmp(f'Iptc4xmpExt:DigitalSourceType="{AI_TYPE}{kind}">')
            found[f"{kind} {style}"] = with_xmp(style, block)
    for place, (keyword, value) in enumerate((
        ("parameters", SETTINGS), ("prompt", '{"3": {"class_type": ""}}'), ("workflow", '{"nodes": []}'),
        ("invokeai_metadata", "{}"), ("Dream", "portrait -s 50 -S 42"), ("parameters", "exposure=3"),
        ("Software", "DALL·E 3"), ("Comment", SETTINGS),
    )):  # fmt: skip
        for kind in (b"tEXt", b"zTXt", b"iTXt"):
            found[f"{keyword} {place} {kind.decode()}"] = png_with(text_chunk(keyword, value, kind))
    for name, encoding in ((b"UNICODE\0", "utf-16-be"), (b"ASCII\0\0\0", "ascii")):
        comment = name + SETTINGS.encode(encoding)
        found[f"comment {encoding}"] = encoded(
            PLAIN, "JPEG", exif=exif_with(ExifTags.Base.UserComment, comment, inner=True)
        )
    for date in ("0000:00:00 00:00:00", "2021:02:29 10:00:00", "2021:05-03", "2020:02:29 23:59:59"):
        found[f"date {date}"] = encoded(PLAIN, "JPEG", exif=exif_with(ExifTags.Base.DateTime, date))
    for kind in ("", "digitalCapture", "trainedAlgorithmicMedia\xff", "compositeWithTrainedAlgorithmicMedia"):
        box = jumbf_box((AI_TYPE + kind).encode("latin-1"))
        found |= {
            f"credentials {kind} JPEG": jpeg_with(segments(box)),
            f"credentials {kind} PNG": png_with(chunk(b"caBX", box)),
            f"credentials {kind} WEBP": webp_with(b"C2PA", box),
        }
    return found


def test_files_say_the_same_of_themselves_as_in_python(library):
    made = files()
    folder = library / "files"
    folder.mkdir()
    for number, data in enumerate(made.values()):
        (folder / f"{number}").write_bytes(data)
    told = answered(
        library,
        'import fs from "node:fs";\n'
        'import { readClaims } from "./detector.js";\n'
        'import { speaksOfAi } from "./picture/claims.js";\n'
        f"const all = [];\nfor (let n = 0; n < {len(made)}; n++) {{\n"
        "  const { claims, code } = await readClaims(new Uint8Array(fs.readFileSync(`files/${n}`)));\n"
        "  all.push([claims, code, claims.map(speaksOfAi)]);\n}\nconsole.log(JSON.stringify(all));\n",
    )
    seen = set()
    for (name, data), (claims, code, of_ai) in zip(made.items(), told, strict=True):
        here = read_claims(data)
        assert claims == [asdict(claim) for claim in here], name
        assert code == (None if data.startswith(BEGIN) else "claims_not_read"), name
        assert of_ai == [speaks_of_ai(claim) for claim in here], name
        seen |= {claim.code for claim in here}
    checked = {code for code in CODES if code.startswith("credentials_")} | {"date_signed"}
    assert seen == set(CODES) - checked | {"credentials_not_checked", "credentials_ai", "credentials_ai_edited"}


def test_a_file_that_is_not_read_is_told_from_one_that_says_nothing(library):
    said = private_exif().tobytes()
    made = {"AVIF": encoded(PLAIN, "AVIF", exif=said), "HEIF": encoded(PLAIN, "HEIF", exif=said),
            "JPEG": encoded(PLAIN, "JPEG"), "huge": encoded(PLAIN, "JPEG") + bytes(MAX_BYTES)}  # fmt: skip
    for name, data in made.items():
        (library / name).write_bytes(data)
    told = answered(
        library,
        'import fs from "node:fs";\n'
        'import { readClaims } from "./detector.js";\n'
        "const read = (name) => readClaims(new Uint8Array(fs.readFileSync(name)));\n"
        f"console.log(JSON.stringify(await Promise.all({json.dumps(list(made))}.map(read))));\n",
    )
    assert all(each["claims"] == [] for each in told)
    assert [each["code"] for each in told] == ["claims_not_read", "claims_not_read", None, "claims_not_read"]
    assert any(claim.kind == "camera" for claim in read_claims(made["HEIF"])), "which Python reads"


def test_without_node_a_test_fails_where_node_is_required(monkeypatch):
    monkeypatch.setenv("REQUIRE_NODE", "1")
    with pytest.raises(AssertionError, match="Node"):
        needed(False, "Node.js is not installed")
    monkeypatch.delenv("REQUIRE_NODE")
    with pytest.raises(pytest.skip.Exception):
        needed(False, "Node.js is not installed")
    skipping = [
        path.name for path in Path(__file__).parent.glob("*.py") if re.search(r"pytest\.skip\(", path.read_text())
    ]
    assert skipping == [], "which is for `needed` to do"


@pytest.mark.parametrize("style", STYLES)
def test_files_cut_short_say_what_can_be_read_and_never_fail(library, style):
    whole = encoded(PLAIN, style, exif=private_exif().tobytes(), **({} if style == "TIFF" else {"xmp": xmp(">")}))
    (library / "whole").write_bytes(whole)
    told = answered(
        library,
        'import fs from "node:fs";\n'
        'import { readClaims } from "./detector.js";\n'
        'const whole = new Uint8Array(fs.readFileSync("whole"));\nconst all = [];\n'
        "for (let n = 0; n < whole.length; n += 7) all.push((await readClaims(whole.subarray(0, n))).claims);\n"
        "console.log(JSON.stringify(all));\n",
    )
    for n, claims in zip(range(0, len(whole), 7), told, strict=True):
        assert claims == [asdict(claim) for claim in read_claims(whole[:n])], n


def cards() -> list[tuple[Verdict, tuple[Stability, ...], tuple[Claim, ...]]]:
    """Verdicts with their stability and claims, of every kind that a card tells apart."""

    def face(p_fake: float, label: str, left: int = 0, kind: str | None = None) -> Face:
        return Face((left, 0, left + 90, 90), 0.9, p_fake, label, kind)

    def tested(one: Face, *chances: float) -> Stability:
        return Stability(one, tuple(Rescore(f"change {n}", p, labelled(p)) for n, p in enumerate(chances)))

    def labelled(p_fake: float) -> str:
        return label_of(p_fake, BAND)

    def verdict(label: str, p_fake: float, faces: tuple[Face, ...], *codes: str) -> Verdict:
        return Verdict(label, p_fake, max(p_fake, 1 - p_fake), tuple(Reason(code, "So.") for code in codes), faces)

    fake, real, unsure = face(0.97, FAKE), face(0.05, REAL, 100), face(0.5, UNSURE, 200)
    ai = Claim("generator", "XMP", "made by generative AI", "ai_made")
    edited = Claim("generator", "XMP", "edited with generative AI", "ai_edited")
    camera = Claim("camera", "EXIF", "X1D <b>", "camera")
    unsettled = (tested(fake, 0.9, 0.4),)
    found = [
        (verdict(FAKE, 0.97, (fake,)), (), ()),
        (verdict(FAKE, 0.97, (face(0.97, FAKE, kind="gan"),), "blurred"), (), (ai, camera)),
        (verdict(FAKE, 0.97, (fake,)), unsettled, (edited,)),
        (verdict(REAL, 0.05, (real,)), (tested(real, 0.001, 0.2),), (edited, ai)),
        (verdict(REAL, 0.05, (real, unsure), "enlarged"), (), (camera,)),
        (verdict(FAKE, 0.97, (fake, real), "face_too_small", "faces_disagree"), (tested(real, 0.6), *unsettled), ()),
        (verdict(UNSURE, 0.97, (face(0.97, UNSURE),), "unstable"), unsettled, ()),
        (verdict(UNSURE, 0.97, (face(0.97, UNSURE), unsure)), unsettled, ()),
        (verdict(UNSURE, 0.3, (), "no_face"), (), (ai,)),
        (verdict(UNSURE, 0.5, (unsure, fake), "many_faces", "uncertain"), (), ()),
    ]
    for code in UNSURE_WHY:
        found += [(verdict(UNSURE, p, (face(p, UNSURE),), code), (), ()) for p in (0.45, 0.505)]
    return found


def test_a_card_says_what_the_page_says(library):
    made = cards()
    asked = []
    for verdict, stability, claims in made:
        rescored = {tested.face.box: asdict(tested) | {"flips": tested.flips} for tested in stability}
        faces = [{**face.to_dict(), "stability": rescored.get(face.box)} for face in verdict.faces]
        asked.append([verdict.to_dict(), faces, BAND, RATES, [asdict(claim) for claim in claims]])
    told = answered(
        library,
        'import { cardOf } from "./verdict/card.js";\n'
        f"const asked = {json.dumps(asked)};\n"
        "console.log(JSON.stringify(asked.map((words) => cardOf(...words))));\n",
    )
    for (verdict, stability, claims), there in zip(made, told, strict=True):
        here = card_of(verdict, BAND, RATES, stability, claims)
        gauge = here.gauge and {"chance": here.gauge.chance, "span": here.gauge.span, "words": here.gauge.words}
        assert there == json.loads(json.dumps({**asdict(here), "gauge": gauge}))
        assert (UNSURE_WHY["faces_disagree"] in there["why"]) == (
            "faces_disagree" in [reason.code for reason in verdict.reasons]
        )
        assert here.gauge is None or (here.gauge.chance is None) != (here.gauge.span is None)
    assert {card["category"] for card in told} == {FAKE, REAL, UNSURE, "no_face"}
