"""Verdicts as pictures."""

import numpy as np
import pytest
from films import film, scene
from PIL import Image, ImageColor
from project import ROOT

from deepfake_detect import judge_video
from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.report.drawing import FRAMES, TILE_SIDE, key_pictures
from deepfake_detect.verdict import suspicious


@pytest.fixture(scope="module")
def people() -> list[np.ndarray]:
    return [
        np.asarray(Image.open(ROOT / "examples" / f"real_{name}.jpg").convert("RGB").resize((180, 210)))
        for name in ("grace_hopper", "nikola_tesla", "eileen_collins")
    ]


def inside(box, other, slack):
    return all(a >= b - slack for a, b in zip(box[:2], other[:2], strict=True)) and all(
        a <= b + slack for a, b in zip(box[2:], other[2:], strict=True)
    )


@pytest.mark.slow
def test_a_key_picture_shows_the_framed_face_and_no_other_however_far_off_centre(tmp_path, detector, people):
    wide = scene(*((person, left, 20) for person, left in zip(people, (0, 500, 1020), strict=True)), size=(1200, 300))
    verdict = judge_video(detector, film(tmp_path / "wide.avi", [wide] * 3))
    shown = key_pictures(verdict)
    assert [line.split(":")[0] for _, line in shown] == [str(face.number) for face in suspicious(verdict.faces)]
    for (view, _), face in zip(shown, suspicious(verdict.faces), strict=True):
        assert max(view.size) == TILE_SIDE
        (found,) = FaceFinder().find(np.asarray(view))  # one face alone
        colour = np.array(ImageColor.getrgb(FRAMES[face.label]))
        rows, columns = np.nonzero((np.abs(np.asarray(view).astype(int) - colour) == 0).all(axis=2))
        top = rows[columns == columns.min()].min()  # of the left edge; the name may stand above
        frame = columns.min(), max(top, found.box[1] - TILE_SIDE / 15), columns.max(), rows.max()
        assert inside(found.box, frame, TILE_SIDE / 15) and inside(frame, found.box, TILE_SIDE / 15)


def test_a_face_as_large_as_the_frame_is_shown_whole(tmp_path, detector):
    portrait = Image.open(ROOT / "examples" / "real_eileen_collins.jpg").convert("RGB").resize((512, 512))
    (face,) = detector.predict([portrait])[0].faces
    left, top, right, bottom = face.box
    tight = portrait.crop((left, top, right, bottom)).resize((240, 320))
    verdict = judge_video(detector, film(tmp_path / "tight.avi", [np.asarray(tight)] * 3))
    ((view, _),) = key_pictures(verdict)
    assert view.width < view.height == TILE_SIDE  # a square would cut the face


def test_without_faces_there_are_no_key_pictures(tmp_path, detector):
    verdict = judge_video(detector, film(tmp_path / "grey.avi", [scene()] * 2))
    assert key_pictures(verdict) == []
