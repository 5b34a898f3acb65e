"""Many pictures: their order, errors among them, no more at once than are needed."""

import math
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from onnx_files import write_model
from PIL import Image
from waiting import PATIENCE

from deepfake_detect import Detector, PictureError
from deepfake_detect.model.scoring import BATCH


def noise(seed: int = 0, side: int = 100) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


# Many pictures


@pytest.mark.slow
def test_order_is_kept_over_many_pictures_with_broken_ones_among_them(by_colour, person, avatar, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    kinds = {"fake": person, "real": avatar, "unsure": noise(), "error": broken}
    expected = [list(kinds)[(number * 7 + number // 5) % 4] for number in range(2 * BATCH + 9)]
    results = [result for result, _ in by_colour.stream(kinds[kind] for kind in expected)]
    assert ["error" if isinstance(r, PictureError) else r.label for r in results] == expected


def test_a_batch_of_broken_pictures_gives_only_errors(by_colour):
    results = list(by_colour.stream([b"broken"] * (BATCH + 1)))
    assert len(results) == BATCH + 1 and all(isinstance(result, PictureError) for result, _ in results)


def test_each_verdict_comes_with_the_seconds_it_took(by_colour, person):
    assert all(0 < seconds < 60 for _, seconds in by_colour.stream([person, noise()]))


def test_pictures_are_taken_as_needed_and_not_all_at_once(by_colour):
    taken = []

    def endless():
        while True:
            taken.append(len(taken))
            yield noise(side=16)

    verdicts = by_colour.stream(endless())
    next(verdicts)
    assert len(taken) <= 2 * BATCH
    verdicts.close()


def test_pictures_that_nobody_waits_for_any_more_are_not_judged(by_colour, monkeypatch):
    opened, go_on, workers = [], Event(), by_colour._pool._max_workers
    first, other = noise(side=16), noise(side=16)

    def held(self, picture, max_faces):
        opened.append(picture)
        if picture is not first:
            assert go_on.wait(PATIENCE)
        raise PictureError("too_slow", "held")

    monkeypatch.setattr(Detector, "prepare", held)
    verdicts = by_colour.stream([first, *[other] * 99])
    next(verdicts)
    verdicts.close()
    go_on.set()
    by_colour._pool.submit(int).result(PATIENCE)  # behind all that were not given up
    assert len(opened) <= 1 + workers


def test_a_single_path_instead_of_a_list_is_an_error(shipped, portrait):
    for single in (str(portrait), portrait, portrait.read_bytes()):
        with pytest.raises(TypeError, match="list of pictures"):
            shipped.predict(single)


def test_a_broken_picture_is_named_by_its_place(shipped, person):
    with pytest.raises(PictureError, match=r"Picture 2: The file is empty"):
        shipped.predict([person, person, b"", person])


@pytest.mark.slow
def test_a_crowd_does_not_reach_the_model_at_once(person, tmp_path):
    tile = Image.fromarray(person[30:185, 65:200]).resize((56, 64))
    crowd = np.tile(np.asarray(tile), (10, 10, 1))
    verdict = Detector(counting_model(tmp_path / "m.onnx")).predict([crowd])[0]
    largest_run = max(math.log(face.p_fake / (1 - face.p_fake)) * 100 for face in verdict.faces)
    assert len(verdict.faces) > BATCH
    assert 1 <= round(largest_run) <= BATCH


def counting_model(path: Path) -> Path:
    """A model whose logits differ by the number of pictures in the run (at temperature 100)."""
    import onnx
    from onnx import helper, numpy_helper

    write_model(path, temperature=100.0)
    model = onnx.load(path)
    model.graph.node[-1].output[0] = "constant"
    model.graph.initializer.append(numpy_helper.from_array(np.array([0, 1], np.float32), "second"))
    model.graph.node.extend([
        helper.make_node("Shape", ["pixel_values"], ["count"], start=0, end=1),
        helper.make_node("Cast", ["count"], ["number"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", ["number", "second"], ["both"]),
        helper.make_node("Add", ["constant", "both"], ["logits"]),
    ])  # fmt: skip
    onnx.save(model, path)
    return path
