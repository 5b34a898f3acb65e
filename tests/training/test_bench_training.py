"""What the benchmark says of a training."""

from functools import partial

import pytest

from bench import training
from bench.timing import in_turns


def test_a_training_loses_what_its_batches_take(short_backbone, monkeypatch):
    """Of batches that take half a second, where all else takes a thousandth."""
    import keras

    from train import backbones
    from train.batches import Batches

    def tiny(include_top, weights, input_shape, pooling) -> keras.Model:
        return keras.Sequential([keras.Input(input_shape), keras.layers.Conv2D(4, 3, 8),
                                 keras.layers.GlobalAveragePooling2D()])  # fmt: skip

    make, now = Batches.__getitem__, 0.0

    def passed(seconds: float) -> float:
        nonlocal now
        now += seconds
        return now

    monkeypatch.setattr(Batches, "__getitem__", lambda self, index: (passed(0.5), make(self, index))[1])
    monkeypatch.setattr(training, "in_turns", partial(in_turns, clock=lambda: passed(0.001)))
    monkeypatch.setattr(backbones, "BACKBONES", {"tiny": backbones.Backbone(tiny, "avg")})
    for name, value in {"RECIPES": ("paper",), "PICTURES": 8, "ROUNDS": 3, "FEATURE_ROUNDS": 3}.items():
        monkeypatch.setattr(training, name, value)
    (steps,) = training.in_this_process()
    assert [row[0] for row in steps["rows"]] == ["mobilenet_v2, recipe paper, from epoch 1 on", "tiny, its features"]
    for _, size, count, rate, step, alone, made, lost in steps["rows"]:
        assert (size, count) == (96, 64) and rate == pytest.approx(1000 * count / step, rel=0.01)
        assert lost == pytest.approx(1 - alone / step, abs=0.001)
        assert (step, alone, made) == pytest.approx((501, 1, 501))
