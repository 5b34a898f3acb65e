import keras
import numpy as np
import pytest

from train.average import Average
from train.epoch import run_epoch

pytestmark = pytest.mark.slow


@pytest.fixture
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


class Batches(keras.utils.PyDataset):
    """Five batches of eight."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return np.random.default_rng(index).random((8, 3)), np.arange(8) % 3 % 2


def test_the_average_is_that_of_the_steps_and_validation_sees_it(model, tmp_path):
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.get_weights()[0])

    average = Average(0.5)
    callbacks = keras.callbacks.CallbackList([average, Watch()], model=model, epochs=1, steps=5, verbose=0)
    row = run_epoch(model, Batches(), Batches(), 0, callbacks)
    expected = seen[0]
    for step, weights in enumerate(seen[1:], 1):
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weights
    assert np.allclose(average.weights[0], expected, atol=1e-6) and average.step == 5
    own = model.evaluate(Batches(), verbose=0)
    assert np.array_equal(model.get_weights()[0], seen[-1])  # training goes on from its own weights
    with average.applied(model):
        assert np.array_equal(model.get_weights()[0], average.weights[0])
        assert row["val_loss"] == pytest.approx(model.evaluate(Batches(), verbose=0), rel=1e-5) != own

    average.save(tmp_path / "average.npz")
    again = Average(0.5, tmp_path / "average.npz")
    assert again.step == 5 and all(np.array_equal(a, b) for a, b in zip(again.weights, average.weights, strict=True))
    assert not list(tmp_path.glob(".partial*"))
