"""Occlusion maps: of models that look at a known place, and of the shipped one."""

import numpy as np
import pytest
from onnx_files import write_masked_model, write_model
from project import ROOT

from deepfake_detect import Detector, Model
from deepfake_detect.evidence.occlusion import (
    CAPTION,
    CELLS,
    FAINTEST,
    MIDDLE_GREY,
    TOWARDS_FAKE,
    TOWARDS_REAL,
    legend_colours,
    occlusion_map,
    overlay,
)
from deepfake_detect.model.scoring import BATCH

SIZE, WEIGHT, TEMPERATURE = 112, 24.0, 2.0  # cells of 16 pixels, patches of 32
HALVES = (slice(0, SIZE // 2), slice(SIZE // 2, SIZE))


def quarter_model(path, row: int, column: int, weight: float) -> Model:
    """A model whose logits differ by the mean brightness of one quarter of the crop, times a weight."""
    mask = np.zeros((1, 3, SIZE, SIZE), np.float32)
    mask[:, :, HALVES[row], HALVES[column]] = 4  # a mean over the crop becomes one over the quarter
    return Model(write_masked_model(path, mask, [[0, weight / 3]] * 3, temperature=TEMPERATURE))


@pytest.fixture(scope="module")
def shipped() -> Detector:
    return Detector(ROOT / "model.onnx")


def lit(row: int, column: int) -> np.ndarray:
    """A black crop with one white quarter."""
    crop = np.zeros((SIZE, SIZE, 3), np.uint8)
    crop[HALVES[row], HALVES[column]] = 255
    return crop


# The map


@pytest.mark.parametrize("weight", [WEIGHT, -WEIGHT])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_the_quarter_that_the_model_looks_at_lights_up_and_no_other(tmp_path, row, column, weight):
    heat = occlusion_map(quarter_model(tmp_path / "m.onnx", row, column, weight), lit(row, column))
    within, touching = (slice(0, 3), slice(4, 7)), (slice(0, 4), slice(3, 7))  # patches on the centre line touch both
    inside = within[row], within[column]
    assert heat.shape == (CELLS, CELLS) and (np.sign(heat[inside]) == np.sign(weight)).all()
    outside = np.ones_like(heat, bool)
    outside[touching[row], touching[column]] = False
    assert np.abs(heat[outside]).max() < 1e-5 < np.abs(heat[inside]).min() / 100


def test_a_value_is_the_change_of_the_calibrated_log_odds(tmp_path):
    heat = occlusion_map(quarter_model(tmp_path / "m.onnx", 0, 0, WEIGHT), lit(0, 0))
    covered, fallen = 32**2 / 56**2, 1 - 64 / 255  # share of the quarter, and white less the mean colour
    assert heat[1, 1] == pytest.approx(WEIGHT / TEMPERATURE * covered * fallen, abs=1e-4)
    assert heat[0, 0] == pytest.approx(heat[1, 1] * (24 / 32) ** 2, abs=1e-4)  # the edge of the crop cuts the patch


def test_a_crop_without_anything_in_it_speaks_for_nothing(tmp_path):
    model = Model(write_model(tmp_path / "m.onnx", weights=(30, 20, -10)))
    assert not occlusion_map(model, np.full((32, 32, 3), (10, 99, 200), np.uint8)).any()


def test_the_crop_is_left_as_it_was_and_the_model_is_run_in_batches(tmp_path, monkeypatch):
    model, crop = Model(write_model(tmp_path / "m.onnx", weights=(1, 1, 1))), lit(0, 1)[:32, 40:72]
    before, runs, outputs = crop.copy(), [], model.outputs
    monkeypatch.setattr(model, "outputs", lambda values, *more: runs.append(len(values)) or outputs(values))
    occlusion_map(model, crop)
    assert np.array_equal(crop, before)
    assert sum(runs) == CELLS**2 + 1 and max(runs) <= BATCH


@pytest.mark.parametrize("name", ["fake_self_blend_1.jpg", "real_eileen_collins.jpg"])
@pytest.mark.slow
def test_the_shipped_model_leans_on_some_parts_of_a_face(shipped, name):
    crop = shipped.prepare(ROOT / "examples" / name).crops[0]
    heat = occlusion_map(shipped.model, crop)
    assert np.isfinite(heat).all() and np.abs(heat).max() > 0.1
    assert np.abs(heat - occlusion_map(shipped.model, crop)).max() < 1e-4
    drawn = overlay(crop, heat).astype(int)
    strongest = np.unravel_index(np.abs(heat).argmax(), heat.shape)
    red, _, blue = drawn[tuple(int((cell + 0.5) * len(crop) / CELLS) for cell in strongest)]
    assert (red > blue) == (heat[strongest] > 0)


# The picture of it


def test_orange_is_for_fake_and_blue_for_real():
    heat = np.zeros((CELLS, CELLS))
    heat[1, 1], heat[5, 5] = 3, -3
    drawn = overlay(np.full((70, 70, 3), 128, np.uint8), heat)
    assert drawn.shape == (70, 70, 3) and drawn.dtype == np.uint8
    fake, real, neutral = (drawn[place].astype(int) for place in ((15, 15), (55, 55), (15, 55)))
    assert fake[0] > fake[1] > fake[2] and real[2] > real[1] > real[0]
    assert np.ptp(neutral) <= 6
    assert fake[0] - fake[2] > 100 and real[2] - real[0] > 70


def test_without_heat_the_crop_is_grey_as_it_is():
    crop = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    drawn = overlay(crop, np.zeros((CELLS, CELLS)))
    luma = crop @ np.array([0.299, 0.587, 0.114])
    assert np.abs(drawn - luma[..., None]).max() <= 1


def test_a_weak_map_is_drawn_paler_than_a_strong_one():
    def colour(strength: float) -> int:
        return int(np.ptp(overlay(np.full((14, 14, 3), 128, np.uint8), np.full((CELLS, CELLS), strength))[7, 7]))

    assert colour(FAINTEST / 10) < colour(FAINTEST / 2) < colour(FAINTEST) == colour(5 * FAINTEST)


def test_colours_change_smoothly():
    heat = np.zeros((CELLS, CELLS))
    heat[3, 3] = 4
    drawn = overlay(np.full((140, 140, 3), 128, np.uint8), heat).astype(int)
    assert np.abs(np.diff(drawn, axis=0)).max() < 20 and np.abs(np.diff(drawn, axis=1)).max() < 20


def test_the_caption_says_what_it_is_not():
    assert "no map of what was edited" in CAPTION and CAPTION.endswith(".")


def test_the_legend_goes_from_real_over_grey_to_fake():
    colours = legend_colours(9)
    assert (colours[0], colours[4], colours[8]) == (TOWARDS_REAL, MIDDLE_GREY, TOWARDS_FAKE) and len(set(colours)) == 9
