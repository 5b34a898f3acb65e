"""How a face is best looked at: framings and mirror images whose logits are averaged, chosen on val."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from deepfake_detect.errors import PictureError
from deepfake_detect.face.crop import cut
from deepfake_detect.face.face_crops import face_framings
from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.model.onnx_model import Looks, Outputs, probability
from train.calibrate import Asked, balanced, fit_temperature
from train.crops import cancelling_pool
from train.data import DataError, Sample
from train.tiers import open_degraded

FRAMINGS = (0.8, 1.0, 1.2)
CANDIDATES = (Looks((1.0,), False), Looks((1.0,), True), Looks(FRAMINGS, False), Looks(FRAMINGS, True))
TOLERANCE = 0.002  # of the mean AUC, by which fewer looks may be worse than the best
CHUNK = 64  # faces that the network is shown at a time


@dataclass(frozen=True)
class Looked:
    """The largest face of N pictures, each look at it by itself."""

    labels: np.ndarray  # [N], 0 real, 1 fake
    kinds: list[str]  # [N], see train.kinds
    framings: tuple[float, ...]  # [F]
    logits: np.ndarray  # [N, F, 2, 2]: framing; as it is and in the mirror; real and fake
    kind_logits: np.ndarray | None  # [N, F, 2, K]

    def mean(self, looks: Looks) -> Outputs:
        """The mean over these looks, as `deepfake_detect.model.scoring.mean_outputs` has it: [N, 2] and [N, K]."""
        places = [self.framings.index(framing) for framing in looks.framings]

        def averaged(values: np.ndarray) -> np.ndarray:
            return values[:, places, : 1 + looks.mirrored].mean(axis=(1, 2), dtype=np.float64)

        return Outputs(averaged(self.logits), None if self.kind_logits is None else averaged(self.kind_logits))


@dataclass(frozen=True)
class Cutting:
    """How faces are cut out, see `deepfake_detect.model.onnx_model.Metadata`."""

    margin: float
    size: int
    resampling: str
    tier: str  # see train.tiers


def look_at(
    samples: Sequence[Sample],
    cutting: Cutting,
    network: Callable[[np.ndarray], Outputs],
    framings: tuple[float, ...] = FRAMINGS,
    finder: FaceFinder | None = None,
) -> Looked:
    """Show a network the largest face of every readable picture, in all framings and their mirror images.

    Args:
        samples: of one split.
        cutting: how the faces are cut out, of the pictures themselves.
        network: crops [N, S, S, 3] uint8 RGB -> its outputs.
        framings: see `deepfake_detect.face.crop.crop_box`.
        finder: of the faces; YuNet by default.

    Raises:
        DataError: one class has no readable picture.
    """
    used: list[Sample] = []
    given: list[Outputs] = []
    faces = _cut(samples, cutting, framings, finder or FaceFinder())
    progress = tqdm(total=len(samples), desc="looks", unit="picture", disable=None)
    while chunk := list(islice(faces, CHUNK)):
        progress.update(len(chunk))
        used += [sample for sample, _ in chunk]
        views = np.stack([framed for _, framed in chunk])  # [n, F, S, S, 3]
        both = np.stack([views, views[:, :, :, ::-1]], axis=2)
        given.append(network(both.reshape(-1, *both.shape[3:])))
    progress.close()
    labels = np.array([sample.label for sample in used], dtype=np.int64)
    if set(labels.tolist()) != {0, 1}:
        raise DataError(f"The split {samples[0].split if samples else ''} needs readable pictures of both classes.")
    shape = len(used), len(framings), 2, -1
    kinds = [one.kinds for one in given if one.kinds is not None]
    return Looked(
        labels,
        [sample.kind for sample in used],
        framings,
        np.concatenate([one.logits for one in given]).reshape(shape),
        np.concatenate(kinds).reshape(shape) if kinds else None,
    )


def unseen_outputs(
    samples: Sequence[Sample],
    asked: Asked,
    cutting: Cutting,
    network: Callable[[np.ndarray], Outputs],
    looks: Looks,
) -> tuple[Outputs, np.ndarray] | None:
    """Outputs and labels of the pictures of the split cross, where the band is to hold on these as well.

    Raises:
        DataError: it is, and the data has no such split.
    """
    if asked.unseen_accuracy is None:
        return None
    cross = [sample for sample in samples if sample.split == "cross"]
    looked = look_at(cross, cutting, network, looks.framings)
    return looked.mean(looks), looked.labels


def _cut(
    samples: Sequence[Sample], cutting: Cutting, framings: tuple[float, ...], finder: FaceFinder
) -> Iterator[tuple[Sample, np.ndarray]]:
    """Each readable picture with its largest face, or all of it, in every framing [F, S, S, 3] uint8."""

    def framed(sample: Sample) -> np.ndarray | PictureError:
        try:
            picture = open_degraded(sample.path, cutting.tier)
        except PictureError as error:
            return error
        (squares, *_) = face_framings(finder.find(picture)[:1], cutting.margin, framings, picture.shape[1::-1])
        crops = [cut(picture, square, cutting.size, cutting.resampling) for square in squares]
        return np.stack(crops * (len(framings) // len(crops)))

    with cancelling_pool() as pool:
        for start in range(0, len(samples), CHUNK):  # lest all of them be cut before the network has seen one
            some = samples[start : start + CHUNK]
            for sample, found in zip(some, pool.map(framed, some), strict=True):
                if isinstance(found, PictureError):
                    print(f"skipped {sample.path}: {found}")
                else:
                    yield sample, found


def candidates(looked: Looked) -> list[dict]:
    """What each of CANDIDATES is worth, and which is taken: the one of the fewest looks whose mean AUC is at most
    TOLERANCE below the best.

    Returns:
        [{"framings", "mirrored", "looks": how many, "auc": mean over the kinds of fakes, each against all photographs,
        which count by kind alike, "worst_auc": of the worst kind, "log_loss": at the best temperature, "gain": of the
        mean AUC over one look, "chosen": bool}], the fewest looks first.
    """
    weights, rows = balanced(looked.labels, looked.kinds), []
    for looks in CANDIDATES:
        logits = looked.mean(looks).logits
        temperature = fit_temperature(logits, looked.labels, weights)
        p_fake = probability(logits, temperature)
        aucs = list(_aucs(p_fake, looked, weights).values())
        losses = -np.log(np.where(looked.labels == 1, p_fake, 1 - p_fake))
        rows.append(
            asdict(looks)
            | {
                "looks": looks.count,
                "auc": float(np.mean(aucs)),
                "worst_auc": min(aucs),
                "log_loss": float(np.average(losses, weights=weights)),
            }
        )
    best = max(row["auc"] for row in rows)
    first = next(row for row in rows if row["auc"] >= best - TOLERANCE)
    return [row | {"gain": row["auc"] - rows[0]["auc"], "chosen": row is first} for row in rows]


def chosen(rows: Sequence[dict]) -> Looks:
    """The looks that `candidates` has taken."""
    (row,) = (row for row in rows if row["chosen"])
    return Looks(tuple(row["framings"]), row["mirrored"])


def _aucs(p_fake: np.ndarray, looked: Looked, weights: np.ndarray) -> dict[str, float]:
    """By kind of fake."""
    names, real = np.array(looked.kinds), looked.labels == 0
    found = {}
    for kind in np.unique(names[~real]):
        on = real | ((names == kind) & ~real)
        found[str(kind)] = float(roc_auc_score(looked.labels[on], p_fake[on], sample_weight=weights[on]))
    return found
