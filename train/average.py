"""The exponential moving average of a network's weights over training steps (Polyak & Juditsky 1992)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

from deepfake_detect.atomic_files import atomic_write


class Average(keras.callbacks.Callback):
    """Keeps the average over the steps, and between `on_test_begin` and `on_test_end` puts it into the model.

    Args:
        decay: share of the average that a step leaves, 0..1. In the first steps it is less, (1 + step) / (10 + step),
            lest the weights before training linger.
        file: where the average was saved by an earlier call, or None.
    """

    def __init__(self, decay: float, file: Path | None = None):
        super().__init__()
        self.decay, self.step, self.weights, self._aside = decay, 0, None, None
        if file is not None:
            with np.load(file) as saved:
                self.step = int(saved["step"])
                self.weights = [saved[f"weight_{number}"] for number in range(len(saved.files) - 1)]

    def save(self, file: Path) -> None:
        """Write the average and its step as a .npz file, whole or not at all."""
        arrays = {f"weight_{number}": values for number, values in enumerate(self.weights)}
        with atomic_write(file) as partial:
            np.savez(partial, step=self.step, **arrays)

    @contextmanager
    def applied(self, model: keras.Model) -> Iterator[None]:
        """Inside, the model has the averaged weights."""
        own = model.get_weights()
        model.set_weights(self.weights)
        try:
            yield
        finally:
            model.set_weights(own)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        own = self.model.get_weights()
        decay = min(self.decay, (1 + self.step) / (10 + self.step))
        self.step += 1
        if self.weights is None:
            self.weights = [np.array(values) for values in own]
            return
        for average, values in zip(self.weights, own, strict=True):
            average += np.asarray((1 - decay) * (values - average), average.dtype)

    def on_test_begin(self, logs: dict | None = None) -> None:
        self._aside = self.applied(self.model)
        self._aside.__enter__()

    def on_test_end(self, logs: dict | None = None) -> None:
        self._aside.__exit__(None, None, None)
