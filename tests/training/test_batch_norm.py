"""BatchNormalization by the fused kernel against Keras's own."""

import keras
import numpy as np
import pytest

from train.batch_norm import BatchNormalization, fuse_batch_norm

pytestmark = pytest.mark.slow


def network() -> keras.Model:
    keras.utils.set_random_seed(3)
    pixels = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, use_bias=False)(pixels)
    x = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization(momentum=0.9)(x))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.BatchNormalization(momentum=0.9)(x))
    return keras.Model(pixels, keras.layers.Dense(2)(x))


@pytest.mark.parametrize("kept", [False, True], ids=["trained", "kept"])
def test_the_fused_kernel_trains_and_serves_the_same_weights(kept):
    rng = np.random.default_rng(0)
    pixels, labels = rng.random((16, 8, 8, 3), np.float32), rng.integers(0, 2, 16)
    networks, losses = [network(), network()], []
    fuse_batch_norm(networks[1])
    assert sum(type(layer) is BatchNormalization for layer in networks[1].layers) == 2
    for model in networks:
        model.layers[2].trainable = not kept
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.5), loss)
        losses.append([float(model.train_on_batch(pixels, labels)) for _ in range(5)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4) and losses[0][4] < losses[0][0]
    for own, fused in zip(networks[0].get_weights(), networks[1].get_weights(), strict=True):
        assert np.allclose(own, fused, rtol=1e-3, atol=1e-5)
    served = [model.predict(pixels, verbose=0) for model in networks]
    assert np.allclose(served[0], served[1], rtol=1e-3, atol=1e-4)


def test_a_file_of_keras_own_layers_is_read(tmp_path):
    own, fused = network(), network()
    own.save_weights(tmp_path / "own.weights.h5")
    fuse_batch_norm(fused)
    fused.set_weights([np.zeros_like(values) for values in fused.get_weights()])
    fused.load_weights(tmp_path / "own.weights.h5")
    assert all(map(np.array_equal, own.get_weights(), fused.get_weights()))
