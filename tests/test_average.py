import keras
import numpy as np
import pytest

from train.average import Average


@pytest.fixture
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def test_the_average_is_that_of_the_steps_and_validation_sees_it(model, tmp_path):
    seen, measured = [], []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.get_weights()[0])

        def on_test_batch_end(self, batch, logs=None):
            measured.append(self.model.get_weights()[0])

    x, y = np.random.default_rng(0).random((40, 3)), np.ones((40, 2))
    average = Average(0.5)
    model.fit(x, y, batch_size=8, epochs=1, validation_data=(x, y), callbacks=[average, Watch()], verbose=0)
    expected = seen[0]
    for step, weights in enumerate(seen[1:], 1):
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weights
    assert np.allclose(average.weights[0], expected, atol=1e-6) and average.step == 5
    assert np.allclose(measured[0], expected, atol=1e-6)
    assert np.array_equal(model.get_weights()[0], seen[-1])  # training goes on from its own weights
    with average.applied(model):
        assert np.array_equal(model.get_weights()[0], average.weights[0])

    average.save(tmp_path / "average.npz")
    again = Average(0.5, tmp_path / "average.npz")
    assert again.step == 5 and all(np.array_equal(a, b) for a, b in zip(again.weights, average.weights, strict=True))
    assert not list(tmp_path.glob(".partial*"))
