"""What is fitted to val: looks, temperature and band, with every kind of photograph counted alike and bounded."""

import numpy as np
import pytest
from onnx_files import METADATA, write_model
from textures import Faces, noise

from deepfake_detect import Detector, Model
from deepfake_detect.model.onnx_model import Looks, Outputs, probability
from deepfake_detect.model.scoring import crop_outputs, mean_outputs
from train import looks
from train.calibrate import Asked, balanced, calibrate, fit_temperature, unsure_band
from train.data import DataError, Sample
from train.kinds import KINDS
from train.looks import CANDIDATES, Cutting, Looked, candidates, chosen, look_at

BOX = (40, 50, 120, 130)


def test_kinds_of_photographs_count_alike_if_there_are_enough_of_them():
    labels = np.repeat([0, 0, 0, 1], [300, 100, 10, 90])
    kinds = ["portrait"] * 300 + ["snapshot"] * 100 + ["video_frame"] * 10 + ["gan"] * 90
    weights = balanced(labels, kinds)
    assert weights[:300].sum() == pytest.approx(200) and weights[300:400].sum() == pytest.approx(200)
    assert (weights[400:] == 1).all() and (balanced(labels, [""] * 500) == 1).all()


def test_a_temperature_may_go_by_weights():
    logits = np.array([[0, 2.0], [0, 2.0], [0, 2.0], [0, 2.0]])
    labels, weights = np.array([1, 1, 1, 0]), np.array([1, 1, 1, 1.5])
    fitted = fit_temperature(logits, labels, weights)
    assert probability(logits, fitted)[0] == pytest.approx(3 / 4.5, abs=1e-3)  # the share that is fake, by weight


def portraits_and_frames(frames_called_fake: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """p_fake, labels and kinds: 1000 portraits that look real, and 50 frames of which some look fake."""
    labels = np.repeat([0, 0, 1], [1000, 50, 1000])
    p_fake = np.concatenate([np.full(1000, 0.05), np.full(50, 0.05), np.full(1000, 0.95)])
    p_fake[1000 : 1000 + frames_called_fake] = 0.8
    return p_fake, labels, ["portrait"] * 1000 + ["video_frame"] * 50 + ["gan"] * 1000


def test_false_alarms_are_bounded_in_the_worst_kind_and_not_in_the_mean():
    p_fake, labels, kinds = portraits_and_frames(8)
    asked = Asked(0.9, 0.06)
    assert unsure_band(p_fake, labels, Asked(0.9), kinds) == (0.5, 0.5)  # 8 of 1050 photographs are no more than 1 %
    assert unsure_band(p_fake, labels, asked, kinds) == (0.5, 0.81)  # but 16 % of the frames
    assert unsure_band(*portraits_and_frames(3)[:2], asked, kinds) == (0.5, 0.5)  # 6 %
    assert unsure_band(p_fake, labels, asked) == (0.5, 0.5)  # where kinds are not known


def test_a_rare_kind_weighs_as_much_in_the_accuracy_as_a_common_one():
    p_fake, labels, kinds = portraits_and_frames(40)
    assert unsure_band(p_fake, labels, Asked(0.9), [""] * len(labels)) == (0.5, 0.5)
    assert unsure_band(p_fake, labels, Asked(0.9), kinds)[1] == pytest.approx(0.81)


def test_where_no_threshold_holds_the_bound_nothing_is_called_fake():
    p_fake, labels, kinds = portraits_and_frames(0)
    p_fake[1000:1010] = 1 - 1e-12
    low, high = unsure_band(p_fake, labels, Asked(0.9, 0.06), kinds)
    assert high == 1.0 and low > 0


def test_a_band_may_have_to_hold_on_generators_that_nobody_trained_on():
    p_fake, labels, kinds = portraits_and_frames(0)
    unseen = np.array([0.05] * 90 + [0.2] * 20 + [0.95] * 90), np.repeat([0, 1, 1], [90, 20, 90])
    assert unsure_band(p_fake, labels, Asked(0.9), kinds, unseen) == (0.5, 0.5)
    low, high = unsure_band(p_fake, labels, Asked(0.9, unseen_accuracy=0.95), kinds, unseen)
    assert low == pytest.approx(0.19) and high == 0.5  # 180 of 200 would be right, and so the 20 are left out
    all_wrong = unseen[0], 1 - unseen[1]
    assert unsure_band(p_fake, labels, Asked(0.9, unseen_accuracy=0.95), kinds, all_wrong) == (0.0, 1.0)


def test_calibrating_tells_what_each_kind_of_photograph_gets():
    p_fake, labels, kinds = portraits_and_frames(2)
    logits = np.stack([np.zeros_like(p_fake), np.log(p_fake / (1 - p_fake))], axis=1)
    of_kinds = np.zeros((len(labels), len(KINDS)))
    of_kinds[:, KINDS.index("gan")] = 3
    found = calibrate(Outputs(logits, of_kinds), labels, kinds, Asked(0.9, 0.06))
    assert found["photographs"] == {
        "portrait": {"pictures": 1000, "false_alarms": 0.0},
        "video_frame": {"pictures": 50, "false_alarms": 0.04},
    }
    assert found["kinds"]["least"] == {"gan": 0.0} and found["unsure_band"] == [0.5, 0.5]
    assert "kinds" not in calibrate(Outputs(logits, None), labels, kinds, Asked(0.9, 0.06))


# Looks


def looked(gain: float, seed: int = 0) -> Looked:
    """Faces whose looks differ by noise, which a mean takes out; `gain`: its share."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1], 400)
    margin = (2 * labels - 1)[:, None, None] + rng.normal(0, 0.3, (800, 1, 1)) + gain * rng.normal(0, 1, (800, 3, 2))
    logits = np.stack([np.zeros_like(margin), margin], axis=-1)
    return Looked(labels, ["portrait"] * 400 + ["gan"] * 400, (0.8, 1.0, 1.2), logits, None)


def test_more_looks_are_taken_where_they_pay():
    rows = candidates(looked(1.0))
    assert [row["looks"] for row in rows] == [one.count for one in CANDIDATES] == [1, 2, 3, 6]
    assert chosen(rows) == Looks((0.8, 1.0, 1.2), True) and sum(row["chosen"] for row in rows) == 1
    assert rows[0]["gain"] == 0 < rows[1]["gain"] < rows[3]["gain"] and rows[3]["log_loss"] < rows[0]["log_loss"]
    assert chosen(candidates(looked(0.01))) == Looks((1.0,), False)


def test_a_kind_that_is_found_badly_is_not_hidden_by_the_mean():
    given = looked(0.2)
    given.kinds[400:500] = ["edited"] * 100
    given.logits[400:500] = given.logits[:100]
    rows = candidates(given)
    assert all(row["worst_auc"] < row["auc"] - 0.1 for row in rows)


@pytest.fixture
def samples(tmp_path) -> list[Sample]:
    from PIL import Image

    found = []
    for number, label in enumerate((0, 1, 0)):
        Image.fromarray(np.roll(noise(200, 240), 40 * number, axis=2)).save(tmp_path / f"{number}.png")
        found.append(Sample(tmp_path / f"{number}.png", label, "val", "made", "", kind=("portrait", "gan", "")[number]))
    return found


def test_looks_are_what_is_looked_at_when_it_serves(samples, tmp_path, monkeypatch):
    monkeypatch.setattr(looks, "CHUNK", 2)
    six = Looks((0.8, 1.0, 1.2), True)
    kinds = {"names": ["real", "gan", "edited"], "temperature": 1.0, "least": {}}
    model = Model(write_model(tmp_path / "m.onnx", (9, -3, 0), kind_weights=np.eye(3), kinds=kinds, looks=six))
    cutting = Cutting(METADATA.crop_margin, 32, METADATA.resampling, "clean")
    found = look_at(samples, cutting, lambda crops: crop_outputs(model, crops), finder=Faces(BOX))
    assert found.logits.shape == (3, 3, 2, 2) and found.kind_logits.shape == (3, 3, 2, 3)
    assert (found.labels.tolist(), found.kinds) == ([0, 1, 0], ["portrait", "gan", ""])
    detector = Detector(model, Faces(BOX))
    served = mean_outputs(model, np.concatenate([detector.prepare(sample.path).framed for sample in samples]))
    assert found.mean(six).logits == pytest.approx(served.logits, abs=1e-5)
    assert found.mean(six).kinds == pytest.approx(served.kinds, abs=1e-5)
    assert found.mean(Looks((1.0,), False)).logits == pytest.approx(found.logits[:, 1, 0])


def test_what_cannot_be_read_is_left_out_and_faceless_pictures_are_looked_at_whole(samples, tmp_path, capsys):
    (tmp_path / "2.png").write_bytes(b"no picture")
    model = Model(write_model(tmp_path / "m.onnx", (9, -3, 0)))
    cutting = Cutting(METADATA.crop_margin, 32, METADATA.resampling, "clean")
    network = lambda crops: crop_outputs(model, crops)  # noqa: E731
    found = look_at(samples, cutting, network, finder=Faces())
    assert found.logits.shape == (2, 3, 2, 2) and "skipped" in capsys.readouterr().out
    assert (found.logits == found.logits[:, :1]).all() and found.kind_logits is None
    with pytest.raises(DataError, match="both classes"):
        look_at(samples[::2], cutting, network, finder=Faces())
