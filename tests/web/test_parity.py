"""The browser and Python on the same pictures, in a real Chromium."""

import io

import numpy as np
import pytest
from PIL import Image
from project import ROOT
from web_site import EXAMPLES, assert_same, png

from deepfake_detect.picture.decode import MAX_BYTES
from export.web_texts import FAULTS
from scripts.web_parity import compare, lossless, offered, summary


def test_lossless_copies_of_the_examples(ask, detector):
    """A photograph, a fake and a group are checked thoroughly as well."""
    for path in EXAMPLES:
        data, thorough = lossless(path), path.stem in ("real_eileen_collins", "fake_swap", "group_portraits")
        assert_same(detector.predict_one(data, thorough=thorough), ask(data, thorough), path.name)


def test_the_examples_as_they_are(ask, detector):
    for path in EXAMPLES:
        here, there = detector.predict_one(path), ask(path.read_bytes())
        assert there["label"] == here.label, path.name
        assert there["p_fake"] == pytest.approx(here.p_fake, abs=0.02), path.name


def test_a_large_jpeg_is_searched_at_part_of_its_size_and_turned_by_its_orientation(ask, detector, portrait):
    whole = Image.open(portrait).convert("RGB").resize((2100, 2461))
    exif = Image.Exif()
    exif[274] = 6
    file = io.BytesIO()
    whole.rotate(90, expand=True).save(file, "JPEG", quality=95, exif=exif)
    here, there = detector.predict_one(file.getvalue()), ask(file.getvalue())
    assert there["label"] == here.label and len(there["faces"]) == len(here.faces) == 1
    assert there["p_fake"] == pytest.approx(here.p_fake, abs=0.02)
    assert np.abs(np.array(there["faces"][0]["box"]) - here.faces[0].box).max() <= 16


def test_faults_have_the_codes_and_sentences_of_python(ask, detector):
    from deepfake_detect import PictureError

    portrait = EXAMPLES[-1].read_bytes()
    for data in (b"", portrait[:300], png(np.zeros((9, 40, 3), np.uint8)), png(Image.new("1", (9000, 9000)))):
        with pytest.raises(PictureError) as error:
            detector.predict_one(data)
        assert ask(data) == {"error": str(error.value), "error_code": error.value.code}
    for data in (b"hello", (ROOT / "README.md").read_bytes()):
        assert ask(data)["error_code"] == "unsupported_format"


def test_a_video_is_told_where_it_is_judged(ask):
    video = (EXAMPLES[0].parent / "videos" / "group_portraits.mp4").read_bytes()
    others = (b"\x1aE\xdf\xa3" + bytes(64), b"RIFF" + bytes(4) + b"AVI LIST", b"\0\0\0\x14ftypqt  " + bytes(12),
              b"\0\0\0\x08wide\0\0\x10\0mdat" + bytes(64), b"\0\0\x10\0moov" + bytes(64))  # fmt: skip
    for data in (video, video + bytes(MAX_BYTES), *others):
        assert ask(data) == {"error": FAULTS["WEB_VIDEO"], "error_code": "unsupported_format"}
    for data in (b"\0\0\0\x18ftypM4A " + bytes(99), b"\0\0\0\x18ftypmiaf" + bytes(99), b"I'm free of it", b"skipfree"):
        assert ask(data)["error"] != FAULTS["WEB_VIDEO"]


def test_pictures_held_out(asked, detector, faces_data):
    """Those that the browser decodes by itself: a few of each kind; the whole split by scripts/web_parity.py."""
    paths = sorted((faces_data / "val").rglob("*.jpg"))[::170][:8]
    page, address, made = asked
    made |= offered(paths)
    found = summary(compare(detector, page, address, paths))
    assert found["copy"]["same_boxes"] == found["copy"]["same_label"] == found["file"]["same_label"] == 1
    assert found["copy"]["difference"]["1"] <= 1e-3 and found["file"]["difference"]["1"] <= 0.02
