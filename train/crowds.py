"""How the rule for pictures of many faces fares: on groups of scores of one split, and on whole pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from deepfake_detect.crowd import picture_p_fake, too_small
from deepfake_detect.detector import Detector
from deepfake_detect.evidence.robustness import box_framings
from deepfake_detect.face.crop import cut
from deepfake_detect.face.quality import MIN_FACE
from deepfake_detect.picture.decode import open_picture
from deepfake_detect.verdict import FAKE, REAL, label_of, longer_side
from train.crowds_report import crowds_markdown, draw_crowds, short_markdown
from train.data import Folders, Sample, data_sha256, read_samples
from train.metrics import INTERVAL, binary_metrics, decided_metrics
from train.report import check_marks, update_docs, write_report
from train.scored_set import ScoredSet, judge

SPLITS = ("val", "cross")  # the rule is chosen on val, with cross as a second opinion
NUMBERS = (1, 2, 4, 8, 16, 64, 256)  # faces of a picture
RESAMPLES = 100  # of the faces of a split, for the intervals
GROUPS = 2000  # drawn from each, and
MOST_FACES = 64_000  # in them at most
TILED = {1: 100, 4: 50, 16: 30, 64: 15, 256: 4}  # faces of a composed picture -> how many are made
TILE = 160  # pixels of a face's share of a composed picture
SIDES = (32, 48, 64, 96, 128)  # pixels of the longer side that faces are brought to

Band = tuple[float, float]
Rule = Callable[[np.ndarray, Band], np.ndarray]


@dataclass(frozen=True)
class Pool:
    """Scores of faces by themselves: of every picture, the largest face, if it is large enough to be judged."""

    real: np.ndarray  # [R] in 0..1
    fake: np.ndarray  # [F] in 0..1

    @classmethod
    def of(cls, judged: ScoredSet) -> "Pool":
        found = [
            (sample.label, verdict.faces[0].p_fake)
            for sample, verdict in zip(judged.samples, judged.verdicts, strict=True)
            if verdict.faces and not too_small(verdict.faces[0].side)
        ]
        return cls(*(np.array([p for label, p in found if label == asked]) for asked in (0, 1)))

    def resampled(self, rng: np.random.Generator) -> "Pool":
        """As many faces of each class, drawn with replacement."""
        return Pool(*(rng.choice(of, len(of)) for of in (self.real, self.fake)))

    def groups(self, number: int, fakes: int, rng: np.random.Generator) -> np.ndarray:
        """Scores of pictures [G, number], of which `fakes` are of fakes."""
        count = min(GROUPS, MOST_FACES // number)
        drawn = [rng.choice(of, (count, n)) for of, n in ((self.real, number - fakes), (self.fake, fakes))]
        return np.concatenate(drawn, 1)


def served(p_fake: np.ndarray, band: Band) -> np.ndarray:
    """Faces [G, N], none too small, -> p_fake [G] of pictures as `deepfake_detect.crowd.weigh` has it."""
    return picture_p_fake(p_fake, band, p_fake.max(1))


def most_suspicious(p_fake: np.ndarray, band: Band) -> np.ndarray:
    """As suspicious as the most suspicious face."""
    return p_fake.max(1)


def mean_odds(p_fake: np.ndarray, band: Band) -> np.ndarray:
    """By the mean of the odds, without the bound of `deepfake_detect.crowd`."""
    return _chance((p_fake / (1 - p_fake)).mean(1))


def bonferroni_odds(p_fake: np.ndarray, band: Band) -> np.ndarray:
    """By the odds of the most suspicious face, divided by the number of faces."""
    worst = p_fake.max(1)
    return _chance(worst / (1 - worst) / p_fake.shape[1])


RULES: dict[str, Rule] = {
    "served": served, "most suspicious": most_suspicious, "mean odds": mean_odds, "Bonferroni": bonferroni_odds
}  # fmt: skip


def sidak(real: np.ndarray) -> Rule:
    """By the chance that the most suspicious of N real faces is so suspicious (Sidak 1967), from the scores [M] of real
    faces of val: their empirical tail, and above the highest twentieth an exponential one in log-odds."""
    scores = np.sort(_log_odds(real))
    begin = np.quantile(scores, 0.95)
    decay = (scores[scores > begin] - begin).mean()

    def tail(log_odds: np.ndarray) -> np.ndarray:
        above = (len(scores) - np.searchsorted(scores, log_odds) + 1) / (len(scores) + 1)
        return np.where(log_odds > begin, 0.05 * np.exp(-(log_odds - begin) / decay), above)

    grid = np.linspace(-40, 40, 8001)
    rates = np.minimum.accumulate(tail(grid))

    def rule(p_fake: np.ndarray, band: Band) -> np.ndarray:
        """The score at which one real face is as rare as the worst of these N is among N."""
        number = p_fake.shape[1]
        alone = -np.expm1(number * np.log1p(-np.minimum(tail(_log_odds(p_fake.max(1))), 1 - 1e-12)))
        return p_fake.max(1) if number == 1 else _chance(np.exp(np.interp(-alone, -rates, grid)))

    return rule


def rates(pool: Pool, band: Band, rules: dict[str, Rule], seed: int = 0) -> list[dict]:
    """What becomes of pictures of N faces, of which none, one, half or all are fake.

    Args:
        pool: the faces to draw from, with replacement.
        band: the unsure band.
        rules: by name.
        seed: of the draws.

    Returns:
        For every N and number of fakes {"faces", "fakes", "rules": {name: {"fake", "real": share called so,
        "interval": {"fake", "real": 95 % over resampled faces}}}}.
    """
    rows = []
    for number in NUMBERS:
        for fakes in sorted({0, 1, number // 2, number}):
            rng = np.random.default_rng([seed, number, fakes])
            shares: dict[str, list] = {name: [] for name in rules}
            for _ in range(RESAMPLES):
                groups = pool.resampled(rng).groups(number, fakes, rng)
                for name, rule in rules.items():
                    p_fake = rule(groups, band)
                    fake = p_fake >= band[1]
                    shares[name].append((fake.mean(), ((p_fake <= band[0]) & ~fake).mean()))
            rows.append({"faces": number, "fakes": fakes, "rules": {n: _shares(found) for n, found in shares.items()}})
    return rows


def _shares(found: list[tuple[float, float]]) -> dict:
    ends = np.percentile(found, INTERVAL, axis=0)
    means = dict(zip((FAKE, REAL), np.mean(found, axis=0).tolist(), strict=True))
    return means | {"interval": dict(zip((FAKE, REAL), ends.T.tolist(), strict=True))}


def calibration(pool: Pool, band: Band, rules: dict[str, Rule], seed: int = 0) -> list[dict]:
    """How true p_fake is where a picture of N faces holds one fake as often as none.

    Returns:
        For every N {"faces", "rules": {name: {"ece": 0..1, "decided": see `decided_metrics`}}}.
    """
    rows = []
    for number in NUMBERS:
        rng = np.random.default_rng([seed, number])
        drawn = [pool.groups(number, fakes, rng) for fakes in (0, 1)]
        groups, labels = np.concatenate(drawn), np.repeat([0, 1], [len(of) for of in drawn])
        figures = {}
        for name, rule in rules.items():
            p_fake = rule(groups, band)
            said = [label_of(p, band) for p in p_fake]
            figures[name] = {"ece": binary_metrics(p_fake, labels)["ece"], "decided": decided_metrics(said, labels)}
        rows.append({"faces": number, "rules": figures})
    return rows


def composed(detector: Detector, samples: Sequence[Sample], seed: int = 0) -> list[dict]:
    """Real pictures of these, side by side in one picture that goes through the whole detector.

    Returns:
        For every number of TILED {"faces", "pictures", "found": faces found in all of them, "fake", "unsure", "real":
        pictures called so, "worst_fake": pictures in which one face by itself is called fake}.
    """
    rng, rows = np.random.default_rng(seed), []
    for number, pictures in TILED.items():
        row = {"faces": number, "pictures": pictures, "found": 0, "fake": 0, "unsure": 0, "real": 0, "worst_fake": 0}
        for _ in range(pictures):
            chosen = rng.choice(len(samples), number, replace=number > len(samples))
            verdict = detector.predict_one(tiled([open_picture(samples[place].path) for place in chosen]))
            row[verdict.label] += 1
            row["found"] += verdict.faces_found
            row["worst_fake"] += any(face.label == FAKE for face in verdict.faces)
        rows.append(row)
    return rows


def tiled(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures [H, W, 3] uint8 side by side, in a square of squares of TILE pixels."""
    columns = int(np.ceil(np.sqrt(len(pictures))))
    sheet = Image.new("RGB", (columns * TILE, -(-len(pictures) // columns) * TILE), (128, 128, 128))
    for number, picture in enumerate(pictures):
        image = Image.fromarray(picture)
        scale = TILE / max(image.size)
        image = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.LANCZOS)
        sheet.paste(image, (number % columns * TILE, number // columns * TILE))
    return np.asarray(sheet)


def sizes(detector: Detector, judged: ScoredSet) -> list[dict]:
    """The same faces made smaller, each picture by Lanczos before its face is cut out.

    Returns:
        For every side of SIDES {"side": pixels, "metrics": see `binary_metrics`, "decided": see `decided_metrics`},
        on the faces that are as large.
    """
    m, crops = detector.metadata, {side: ([], []) for side in SIDES}
    for sample, verdict in zip(judged.samples, judged.verdicts, strict=True):
        picture = open_picture(sample.path)
        for face in verdict.faces[:1]:
            for side in (side for side in SIDES if side <= longer_side(face.box)):
                scale = side / longer_side(face.box)
                size = [max(1, round(edge * scale)) for edge in picture.shape[1::-1]]
                small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
                box = tuple(round(edge * scale) for edge in face.box)
                squares = box_framings(box, m, small)
                crops[side][0].append(np.stack([cut(small, square, m.size, m.resampling) for square in squares]))
                crops[side][1].append(sample.label)
    rows = []
    for side, (framed, classes) in crops.items():
        if set(classes) == {0, 1}:
            labels = np.array(classes)
            p_fake = detector.score(np.stack(framed))
            said = [label_of(p, m.unsure_band) for p in p_fake]
            metrics = binary_metrics(p_fake, labels)
            rows.append({"side": side, "metrics": metrics, "decided": decided_metrics(said, labels)})
    return rows


def run(model: Path, data: Folders, out: Path, docs: Path | None) -> int:
    """The command `python -m train crowds`; returns its exit status."""
    if docs:
        check_marks(docs, "crowds")
    detector = Detector(model)
    metadata, band = detector.metadata, detector.metadata.unsure_band
    samples = read_samples(data, metadata.seed, needed=SPLITS)
    report = {
        "model": {"sha256": detector.model.sha256, "recipe": metadata.recipe, "recipe_sha256": metadata.recipe_sha256},
        "data_sha256": data_sha256(data, samples), "unsure_band": band, "smallest": MIN_FACE, "splits": {},
    }  # fmt: skip
    rules: dict[str, Rule] = dict(RULES)
    for split in SPLITS:
        chosen = [sample for sample in samples if sample.split == split]
        judged = judge(detector, chosen, name=split)
        pool = Pool.of(judged)
        if split == "val":
            rules["Sidak"] = sidak(pool.real)
            report["sizes"] = sizes(detector, judged)
        report["splits"][split] = {
            "real": len(pool.real), "fake": len(pool.fake), "rates": rates(pool, band, rules),
            "calibration": calibration(pool, band, rules),
            "composed": composed(detector, [sample for sample in judged.samples if sample.label == 0]),
        }  # fmt: skip
    print(crowds_markdown(report))
    out.mkdir(parents=True, exist_ok=True)
    draw_crowds(report, out / "crowds.png")
    write_report(out, "crowds", report, crowds_markdown(report))
    if docs:
        update_docs(docs, "crowds", short_markdown(report))
    return 0


def _log_odds(p_fake: np.ndarray) -> np.ndarray:
    return np.log(p_fake) - np.log1p(-p_fake)


def _chance(odds: np.ndarray) -> np.ndarray:
    return odds / (1 + odds)
