"""Faces -> batches for Keras."""

import os
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from detect.crop import cut
from train.augment import augment
from train.blend import self_blend
from train.crops import Crops
from train.degrade import degrade, erase, reframe, relight, saturate
from train.recipe import Recipe, Sampling


class Batches(keras.utils.PyDataset):
    """Batches of (pixel values [B, S, S, 3] float32 in 0..1, labels [B] int64).

    With a recipe the pictures are drawn and augmented as it says. Draws and views are functions of
    (seed, epoch, place in the epoch) alone, so a run resumed at an epoch sees what an undisturbed one would have.

    Args:
        crops: the faces.
        batch_size: B.
        size: S, in pixels.
        recipe: of the training; None gives every face once, in order, as the run time cuts it.
        epoch: counted from 0.
    """

    def __init__(self, crops: Crops, batch_size: int, size: int, recipe: Recipe | None = None, epoch: int = 0):
        super().__init__()
        self.crops, self.batch_size, self.size, self.recipe, self.epoch = crops, batch_size, size, recipe, epoch
        self._pool = ThreadPoolExecutor(os.cpu_count())
        self.order, self.blended = np.arange(len(crops)), np.zeros(len(crops), bool)
        if recipe and recipe.sampling:
            self.order, self.blended = draw(crops, recipe.sampling, np.random.default_rng([recipe.seed, epoch]))
        elif recipe:
            self.order = np.random.default_rng([recipe.seed, epoch]).permutation(len(crops))

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        places = range(len(self.order))[index * self.batch_size : (index + 1) * self.batch_size]
        pixels = np.stack(list(self._pool.map(self._view, places)))
        labels = np.where(self.blended[places], 1, self.crops.labels[self.order[places]])
        return pixels.astype(np.float32) / np.float32(255), labels

    def _view(self, place: int) -> np.ndarray:
        number = int(self.order[place])
        if self.recipe is None:
            return self.crops.crop(number, self.size)
        recipe, kept = self.recipe, self.crops.kept[number]
        rng = np.random.default_rng([recipe.seed, self.epoch, place])
        whole = self.crops.region(number)
        picture = self_blend(whole, kept.face, rng) if self.blended[place] else whole
        if recipe.degrade:
            picture = degrade(picture, recipe.degrade, rng)
        zoom = np.tile([picture.shape[1] / whole.shape[1], picture.shape[0] / whole.shape[0]], 2)
        square = tuple(np.array(kept.square) * zoom)
        if recipe.reframe:
            square = reframe(square, picture.shape[1], picture.shape[0], recipe.reframe, rng)
        crop = cut(picture, square, self.size, self.crops.resampling)
        if recipe.light:
            crop = relight(crop, recipe.light, rng)
        if recipe.saturation:
            crop = saturate(crop, recipe.saturation, rng)
        if recipe.erase:
            crop = erase(crop, recipe.erase, rng)
        return augment(crop, recipe.augment, rng)


def draw(crops: Crops, options: Sampling, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """As many draws as there are faces: their numbers, and which of them are to be self-blended.

    Half of the draws is real. Within a class a source gets draws as its pictures to the power `options.power`;
    within a source no picture is drawn twice before every one was drawn once. The photographs to be self-blended
    are drawn like the real ones, from those in which a face was found.
    """
    count = len(crops)
    sources = np.array(crops.sources)
    with_face = np.array([kept.face is not None for kept in crops.kept])
    blends = round(count / 2 * options.self_blend)
    parts = [(crops.labels == 0, count - count // 2), (crops.labels == 1, count // 2 - blends),
             ((crops.labels == 0) & with_face, blends)]  # fmt: skip
    numbers = [_draw_from(np.flatnonzero(chosen), sources, draws, options.power, rng) for chosen, draws in parts]
    blended = np.repeat([False, False, True], [len(part) for part in numbers])
    shuffled = rng.permutation(len(blended))
    return np.concatenate(numbers)[shuffled], blended[shuffled]


def _draw_from(
    numbers: np.ndarray, sources: np.ndarray, draws: int, power: float, rng: np.random.Generator
) -> np.ndarray:
    names, sizes = np.unique(sources[numbers], return_counts=True)
    ends = np.rint(np.cumsum(sizes**power) / np.sum(sizes**power) * draws).astype(int)
    drawn = [np.empty(0, int)]
    for name, share in zip(names, np.diff(ends, prepend=0), strict=True):
        own = numbers[sources[numbers] == name]
        rounds = [rng.permutation(own) for _ in range(-(-share // len(own)))]
        drawn += [np.concatenate(rounds)[:share]] if rounds else []
    return np.concatenate(drawn)
