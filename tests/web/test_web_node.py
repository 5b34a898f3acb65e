"""The library of web/ in Node.js, where there is no browser to decode: pixels in, the same verdict out."""

import json
import shutil
import subprocess
from dataclasses import asdict
from itertools import product

import cv2
import numpy as np
import pytest
from onnx_files import write_model
from PIL import Image
from project import ROOT
from waiting import LONG
from web_site import EXAMPLES

from deepfake_detect import Detector, Model, Verdict
from deepfake_detect.evidence.robustness import compressed
from deepfake_detect.model.onnx_model import Looks
from deepfake_detect.picture.decode import open_picture

PROGRAM = """
import fs from "node:fs";
import * as ort from "onnxruntime-web";
import { Detector } from "./site/detector.js";

ort.env.wasm.numThreads = 1;
const read = async (name) => new Uint8Array(fs.readFileSync(`./site/${name}`));
const detector = await Detector.load({ ort, read });
const [width, height] = process.argv.slice(2).map(Number);
const picture = { data: new Uint8Array(fs.readFileSync("picture.raw")), width, height };
const [verdict, again] = await Promise.all([detector.judge(picture), detector.judge(picture)]);
if (JSON.stringify(verdict) !== JSON.stringify(again)) throw new Error("two at a time disturb each other");
console.log(JSON.stringify(verdict));
try {
  await detector.judge({ data: new Uint8Array(27), width: 3, height: 3 });
} catch (error) {
  console.log(JSON.stringify({ code: error.code, text: error.message }));
}
"""


def test_it_judges_in_node(site, detector, tmp_path):
    picture = open_picture(EXAMPLES[-1])
    verdict, refusal = in_node(site, picture, tmp_path)
    assert_as_here(verdict, detector.predict_one(picture))
    assert refusal["code"] == "too_small" and "3 x 3 pixels" in refusal["text"]


def test_it_names_the_kind_of_a_fake_as_here(site, tmp_path):
    """A model with a second output, which looks six times at a face, in place of the page's."""
    copy, picture = tmp_path / "copy", open_picture(EXAMPLES[-1])
    shutil.copytree(site, copy, ignore=shutil.ignore_patterns("vendor"))
    kinds = {"names": ["real", "swap_or_reenactment", "gan"], "temperature": 0.5, "least": {"gan": 0.6}}
    weights = [[0, 1, 2], [9, 0, 0], [0, 0, 0]]  # of red 2 stands against 1; the first class has no say
    described = json.loads((copy / "model.json").read_text())
    for least, expected in ((0.6, "gan"), (0.9, None)):
        kinds["least"] = {"gan": least}
        model = write_model(
            copy / described["file"], bias=(0, 5), kind_weights=weights, kinds=kinds, looks=Looks((0.8, 1.0, 1.2), True)
        )
        values = asdict(Model(model).metadata)
        metadata = {name: values[name] for name in described["metadata"]}
        (copy / "model.json").write_text(json.dumps(described | {"metadata": metadata}))
        verdict, _ = in_node(copy, picture, tmp_path)
        assert_as_here(verdict, Detector(model).predict_one(picture))
        assert (verdict["label"], verdict["kind"], verdict["faces"][0]["kind"]) == ("fake", expected, expected)


@pytest.mark.parametrize("with_face", [True, False])
def test_a_model_that_gives_no_number_gives_no_verdict(site, tmp_path, with_face):
    copy = tmp_path / "copy"
    shutil.copytree(site, copy, ignore=shutil.ignore_patterns("vendor"))
    described = json.loads((copy / "model.json").read_text())
    metadata = asdict(Model(write_model(copy / described["file"])).metadata)
    write_model(copy / described["file"], bias=(float("nan"), 0))
    described["metadata"] = {name: metadata[name] for name in described["metadata"]}
    (copy / "model.json").write_text(json.dumps(described))
    picture = open_picture(EXAMPLES[-1]) if with_face else np.full((200, 200, 3), 128, np.uint8)
    done = run_in_node(copy, picture, tmp_path)
    assert done.returncode != 0 and not done.stdout and "the network gives NaN as a chance" in done.stderr


def test_no_label_is_given_to_what_is_no_chance(site, tmp_path):
    """By itself, among faces, and beside a face that is surely fake."""
    (tmp_path / "program.mjs").write_text(
        f"""
        import {{ decide, faceLabel, labelOf }} from "{site.as_posix()}/verdict/decide.js";
        const band = [0.3, 0.7];
        const face = (p_fake) => ({{ p_fake, label: "fake", side: 400 }});
        for (const odd of [NaN, undefined, Infinity, -Infinity])
          for (const ask of [
            () => labelOf(odd, band),
            () => faceLabel(odd, 400, band),
            () => decide([face(odd)], band),
            () => decide([face(0.99), face(odd)], band),
          ]) {{
            let said;
            try {{ said = ask(); }} catch (error) {{ if (error instanceof RangeError) continue; throw error; }}
            throw new Error(`${{odd}}: ${{JSON.stringify(said)}}`);
          }}
        console.log(labelOf(0, band), labelOf(1, band), decide([face(0.99), face(0.98)], band).label);
        """
    )
    done = subprocess.run(["node", "program.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=LONG)
    assert (done.returncode, done.stdout.split()) == (0, ["real", "fake", "fake"]), done.stderr


def assert_as_here(verdict: dict, expected: Verdict) -> None:
    here = json.loads(json.dumps(expected.to_dict()))
    assert verdict["p_fake"] == pytest.approx(here["p_fake"], abs=1e-3)
    assert list(verdict) == list(here)
    for key in ("box", "label", "kind"):
        assert [face[key] for face in verdict["faces"]] == [face[key] for face in here["faces"]]
    assert {**verdict, "p_fake": 0, "confidence": 0, "faces": 0} == {**here, "p_fake": 0, "confidence": 0, "faces": 0}


def in_node(site, picture: np.ndarray, tmp_path) -> list[dict]:
    """The verdict of a site's folder on a picture, and how it refuses one of 3 x 3 pixels."""
    done = run_in_node(site, picture, tmp_path)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_in_node(site, picture: np.ndarray, tmp_path) -> subprocess.CompletedProcess:
    (tmp_path / "picture.raw").write_bytes(picture.tobytes())
    (tmp_path / "program.mjs").write_text(PROGRAM)
    for link, target in (("site", site), ("node_modules", ROOT / "web" / "node_modules")):
        (tmp_path / link).unlink(missing_ok=True)
        (tmp_path / link).symlink_to(target)
    words = ["node", "--preserve-symlinks", "program.mjs", str(picture.shape[1]), str(picture.shape[0])]
    return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=LONG)


KINDS = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
BORDERS = {
    "replicate": cv2.BORDER_REPLICATE,
    "reflect101": cv2.BORDER_REFLECT_101,
    "constant": cv2.BORDER_CONSTANT,
}


def turns() -> list[np.ndarray]:
    """Affine maps of 321 x 193 pixels onto 120 x 130: in the middle, enlarged, shrunk, over each corner, far beyond."""
    found = [cv2.getRotationMatrix2D((80.3, 60.9), 23, 0.8), np.array([[1, 0, 0.5], [0, 1, -20.25]])]
    for x, y, angle, scale in (
        (0, 0, -16.640625, 1), (320, 0, 45, 1.7), (320, 192, 180, 0.33), (0, 192, -90, 2.9), (160, 96, 1 / 64, 1),
    ):  # fmt: skip
        turn = cv2.getRotationMatrix2D((x, y), angle, scale)
        turn[:, 2] += 60 - x, 65 - y  # the place comes to the middle of the result
        found.append(turn)
    return [*found, found[0] + [[0, 0, 900], [0, 0, -700]]]


def test_pixels_are_changed_to_the_last_bit_as_opencv_and_pillow_change_them(tmp_path, portrait):
    """Each operation by itself, so that a difference is found where it arises."""
    with Image.open(portrait) as image:
        pixels = np.ascontiguousarray(np.asarray(image.convert("RGB"))[40:233, 100:421])
    box = (10.3, 20.7, 160.9, 171.3)
    lines = {
        "shrink(picture, 137, 82)": cv2.resize(pixels, (137, 82), interpolation=cv2.INTER_AREA),
        f"resize(picture, 90, 80, 'bilinear', {list(box)})": np.asarray(
            Image.fromarray(pixels).resize((90, 80), Image.Resampling.BILINEAR, box=box)
        ),
        "resize(picture, 400, 100, 'lanczos')": np.asarray(
            Image.fromarray(pixels).resize((400, 100), Image.Resampling.LANCZOS)
        ),
        "compressed(picture, 50)": compressed(pixels, 50),
    }
    for turn, (kind, flag), (border, way) in product(turns(), KINDS.items(), BORDERS.items()):
        call = f"warp(picture, {turn.ravel().tolist()}, 120, 130, '{kind}', '{border}')"
        lines[call] = cv2.warpAffine(pixels, turn, (120, 130), flags=flag, borderMode=way)
    (tmp_path / "picture.raw").write_bytes(pixels.tobytes())
    web = (ROOT / "web").as_posix()
    program = "\n".join(
        [
            'import fs from "node:fs";',
            f'import {{ shrink }} from "{web}/picture/area.js";',
            f'import {{ resize }} from "{web}/picture/resize.js";',
            f'import {{ warp }} from "{web}/picture/warp.js";',
            f'import {{ compressed }} from "{web}/evidence/jpeg.js";',
            f"const [width, height] = [{pixels.shape[1]}, {pixels.shape[0]}];",
            'const picture = { data: new Uint8Array(fs.readFileSync("picture.raw")), width, height };',
            *(f'fs.writeFileSync("{number}.raw", {call}.data);' for number, call in enumerate(lines)),
        ]
    )
    (tmp_path / "program.mjs").write_text(program)
    done = subprocess.run(["node", "program.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 0, done.stderr
    for number, (call, expected) in enumerate(lines.items()):
        found = np.frombuffer((tmp_path / f"{number}.raw").read_bytes(), np.uint8)
        np.testing.assert_array_equal(found, expected.ravel(), err_msg=call)
