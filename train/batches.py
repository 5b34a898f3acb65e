"""Face crops -> batches for Keras."""

import keras
import numpy as np

from train.augment import augment
from train.crops import Crops
from train.recipe import Augment


class Batches(keras.utils.PyDataset):
    """Batches of (pixel values [B, S, S, 3] float32 in 0..1, labels [B] int64).

    With `options` the pictures are shuffled and augmented. Order and every random view are functions of
    (seed, epoch, picture) alone, so a run resumed at an epoch sees what an undisturbed one would have.
    """

    def __init__(self, crops: Crops, batch_size: int, options: Augment | None = None, seed: int = 0, epoch: int = 0):
        super().__init__()
        self.crops, self.batch_size, self.options = crops, batch_size, options
        self.seed, self.epoch = seed, epoch
        count = len(crops.labels)
        self.order = np.random.default_rng([seed, epoch]).permutation(count) if options else np.arange(count)

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        pixels = np.stack([self._view(number) for number in chosen])
        return pixels.astype(np.float32) / np.float32(255), self.crops.labels[chosen]

    def _view(self, number: int) -> np.ndarray:
        crop = self.crops.pixels[number]
        if self.options is None:
            return crop
        return augment(crop, self.options, np.random.default_rng([self.seed, self.epoch, int(number)]))
