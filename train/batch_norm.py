"""Keras's BatchNormalization, trained by TensorFlow's fused kernel where the backend is TensorFlow.

Keras spells the normalisation out in a dozen operations, which on a CPU take half of a training step of MobileNetV2.
"""

from importlib import import_module

import keras


class BatchNormalization(keras.layers.BatchNormalization):
    """As its parent, with the same weights under the same names; what is trained over [N, H, W, C] is fused."""

    def call(self, inputs, training=None, mask=None):
        fused = training and self.trainable and mask is None and len(inputs.shape) == 4
        if not (fused and keras.config.backend() == "tensorflow" and self.gamma is not None):
            return super().call(inputs, training=training, mask=mask)
        tf = import_module("tensorflow")  # the backend that Keras runs on here; with another one this is not reached

        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        shape = tf.shape(inputs)
        count = tf.cast(shape[0] * shape[1] * shape[2], variance.dtype)
        variance *= (count - 1) / count  # the kernel's is that of a sample, Keras keeps that of the batch itself
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
        return outputs


def fuse_batch_norm(network: keras.Model) -> None:
    """Let the network's BatchNormalization layers be of the class above: nothing but their kernel changes."""
    for layer in network.layers:
        if type(layer) is keras.layers.BatchNormalization:
            layer.__class__ = BatchNormalization
