"""Faces -> batches for Keras."""

import os
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from deepfake_detect.face.crop import cut
from train.augment import augment
from train.blend import face_swap, pose_distance, self_blend
from train.crops import Crops
from train.degrade import bordered, degrade, erase, reframe, relight, saturate, turned
from train.kinds import KINDS, kind_number
from train.recipe import Recipe, Sampling

DONORS = 12  # photographs among which the donor of a swap is chosen by its pose


class Batches(keras.utils.PyDataset):
    """Batches of (pixel values [B, S, S, 3] float32 in 0..1, labels [B] int64).

    With a recipe of kinds the labels are {"logits": labels [B], "kinds": places in train.kinds.KINDS [B]}, and their
    weights, 0 for an unknown kind, come third.

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
        self._donors = np.flatnonzero((crops.labels == 0) & crops.with_face)
        if recipe and recipe.sampling:
            rng, count = np.random.default_rng([recipe.seed, epoch]), recipe.views_per_epoch or len(crops)
            if recipe.consistency:  # two views of a picture, side by side
                drawn = draw(crops, recipe.sampling, rng, max(1, count // 2))
                self.order, self.blended = (np.repeat(part, 2) for part in drawn)
            else:
                self.order, self.blended = draw(crops, recipe.sampling, rng, count)
        elif recipe:
            self.order = np.random.default_rng([recipe.seed, epoch]).permutation(len(crops))

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __getitem__(self, index: int) -> tuple:
        places = range(len(self.order))[index * self.batch_size : (index + 1) * self.batch_size]
        pixels = np.stack(list(self._pool.map(self._view, places)))
        labels = np.where(self.blended[places], 1, self.crops.labels[self.order[places]])
        pixels = pixels.astype(np.float32) / np.float32(255)
        if not (self.recipe and self.recipe.kinds):
            return pixels, labels
        kinds = [kind_number(self.crops.kinds[n], self.crops.labels[n]) for n in self.order[places]]
        kinds = np.where(self.blended[places], KINDS.index("swap_or_reenactment"), kinds)
        weights = {"logits": np.ones(len(kinds), np.float32), "kinds": (kinds >= 0).astype(np.float32)}
        return pixels, {"logits": labels, "kinds": np.maximum(kinds, 0)}, weights

    def _view(self, place: int) -> np.ndarray:
        number = int(self.order[place])
        if self.recipe is None:
            return self.crops.crop(number, self.size)
        recipe, kept = self.recipe, self.crops.kept[number]
        rng = np.random.default_rng([recipe.seed, self.epoch, place])
        whole = self.crops.region(number)
        picture = self._blend(number, rng) if self.blended[place] else whole
        if recipe.reframe and recipe.reframe.border and rng.random() < recipe.reframe.border:
            picture = bordered(picture, kept.square, rng)
        if recipe.degrade:
            picture = degrade(picture, recipe.degrade, rng)
        zoom = np.tile([picture.shape[1] / whole.shape[1], picture.shape[0] / whole.shape[0]], 2)
        square = tuple(np.array(kept.square) * zoom)
        if recipe.reframe:
            square = reframe(square, picture.shape[1], picture.shape[0], recipe.reframe, rng)
        if recipe.reframe and recipe.reframe.rotated and rng.random() < recipe.reframe.rotated:
            crop = turned(picture, square, rng.uniform(-1, 1) * recipe.reframe.rotation, self.size)
        else:
            crop = cut(picture, square, self.size, self.crops.resampling)
        if recipe.brightness_jitter:
            crop = relight(crop, recipe.brightness_jitter, rng)
        if recipe.saturation:
            crop = saturate(crop, recipe.saturation, rng)
        if recipe.erase:
            crop = erase(crop, recipe.erase, rng)
        return augment(crop, recipe.augment, rng)

    def _blend(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """The region of a photograph, self-blended or with the face of another, whose pose is like its own."""
        region, face = self.crops.region(number), self.crops.kept[number].face
        swapped, others = self.recipe.sampling.swapped, self._donors[self._donors != number]
        if not (swapped and len(others)) or rng.random() >= swapped:
            return self_blend(region, face, rng)
        donors = rng.choice(others, DONORS)
        donor = min(donors, key=lambda other: pose_distance(face, self.crops.kept[other].face))
        return face_swap(region, face, self.crops.region(donor), self.crops.kept[donor].face, rng)


def draw(
    crops: Crops, options: Sampling, rng: np.random.Generator, count: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw `count` faces, or as many as there are: their numbers, and which of them are to be self-blended.

    Half of the draws is real. Within a class a source gets draws as its pictures to the power `options.power`, or,
    where the options weigh kinds, first a kind as its weight and then its sources' parts likewise; within them no
    picture is drawn twice before every one was drawn once. The photographs to be self-blended are drawn like the
    real ones, from those in which a face was found.
    """
    count = count or len(crops)
    blends = round(count / 2 * options.self_blend)
    parts = [(crops.labels == 0, count - count // 2), (crops.labels == 1, count // 2 - blends),
             ((crops.labels == 0) & crops.with_face, blends)]  # fmt: skip
    numbers = [_draw_from(np.flatnonzero(chosen), crops, draws, options, rng) for chosen, draws in parts]
    blended = np.repeat([False, False, True], [len(part) for part in numbers])
    shuffled = rng.permutation(len(blended))
    return np.concatenate(numbers)[shuffled], blended[shuffled]


def _draw_from(
    numbers: np.ndarray, crops: Crops, draws: int, options: Sampling, rng: np.random.Generator
) -> np.ndarray:
    parts = np.array(crops.sources if options.kinds is None else crops.parts)[numbers]
    names, sizes = np.unique(parts, return_counts=True)
    weights = sizes**options.power * np.array([(options.favoured or {}).get(str(name), 1.0) for name in names])
    if options.kinds is not None:  # a part is of one kind within a class
        kinds = np.array([crops.kinds[numbers[np.argmax(parts == name)]] for name in names])
        for kind in np.unique(kinds):
            weights[kinds == kind] *= options.kinds.get(str(kind), 1.0) / weights[kinds == kind].sum()
    ends = np.rint(np.cumsum(weights) / np.sum(weights) * draws).astype(int)
    drawn = [np.empty(0, int)]
    for name, share in zip(names, np.diff(ends, prepend=0), strict=True):
        own = numbers[parts == name]
        rounds = [rng.permutation(own) for _ in range(-(-share // len(own)))]
        drawn += [np.concatenate(rounds)[:share]] if rounds else []
    return np.concatenate(drawn)
