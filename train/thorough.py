"""What scoring faces again after small changes is worth: beside the plain verdict, beside a wider unsure band that
leaves as many pictures decided, and in time. `deepfake_detect.detector.THOROUGH` is chosen by this."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from os import cpu_count
from pathlib import Path
from time import perf_counter

import numpy as np
from tqdm import tqdm

from deepfake_detect.crowd import face_label, weigh
from deepfake_detect.detector import THOROUGH, Detector
from deepfake_detect.evidence.robustness import steady
from deepfake_detect.picture.decode import open_picture
from deepfake_detect.verdict import FAKE, UNSURE, Verdict
from train.data import Folders, Sample, data_sha256, read_samples
from train.metrics import decided_metrics
from train.report import figure, write_report
from train.timing import machine

SPLITS = ("val", "cross")  # the default is chosen on val, with cross as a second opinion
MIN_GAIN = 0.01  # of the share of decided verdicts that are right, on val, from which being thorough is worth it
MAX_COST = 2.5  # times the time of a plain verdict that it may take
TIMED = 50  # pictures of val, each judged both ways in turns
WIDEST = 8.0  # log-odds by which either end of the band is moved at most
STEPS = 40  # of the bisection

Band = tuple[float, float]


@dataclass(frozen=True)
class VerdictPair:
    """One picture and both verdicts."""

    label: int  # 0 real, 1 fake
    plain: Verdict
    thorough: Verdict


def verdict_pair(detector: Detector, sample: Sample) -> VerdictPair:
    """Judge a picture of the data both ways. Raises PictureError."""
    examined = detector.examine(open_picture(sample.path), thorough=False, with_stability=True, use_all_cores=False)
    thorough = steady(examined.verdict, examined.stability, detector.metadata.unsure_band)
    return VerdictPair(sample.label, examined.verdict, thorough)


def label_with(pair: VerdictPair, band: Band) -> str:
    """What a detector with this unsure band would have said, without being thorough."""
    if not pair.plain.faces:
        return UNSURE
    faces = [replace(face, label=face_label(face.p_fake, face.side, band)) for face in pair.plain.faces]
    return weigh(faces, band)[0]


def widened(band: Band, by: float) -> Band:
    """The unsure band with either end moved outwards by so much in log-odds; 0 and 1 stay."""
    low, high = band
    return low / (low + (1 - low) * math.exp(by)), high / (high + (1 - high) * math.exp(-by))


def wider_band(pairs: Sequence[VerdictPair], band: Band) -> Band:
    """The narrowest of the `widened` bands that decides no more of these pictures than the thorough verdict does."""
    wanted = sum(one.thorough.label != UNSURE for one in pairs)
    low, high = 0.0, WIDEST
    for _ in range(STEPS):
        middle = (low + high) / 2
        decided = sum(label_with(one, widened(band, middle)) != UNSURE for one in pairs)
        low, high = (middle, high) if decided > wanted else (low, middle)
    return widened(band, high)


def figures(labels: Sequence[str], pairs: Sequence[VerdictPair]) -> dict:
    """`decided_metrics` of verdicts [N], and "false_alarm_rate": share of the photographs that are called fake."""
    truth = np.array([one.label for one in pairs])
    real = [label for label, is_fake in zip(labels, truth, strict=True) if not is_fake]
    return decided_metrics(list(labels), truth) | {"false_alarm_rate": real.count(FAKE) / len(real)}


def compared(pairs: Sequence[VerdictPair], band: Band) -> dict:
    """The three ways to judge the pictures of one split.

    Returns:
        {"pictures", "plain", "thorough", "wider": see `figures`, "wider_band": the band of the last, "flipped":
        pictures that are decided in the first and not in the second}.
    """
    wider = wider_band(pairs, band)
    return {
        "pictures": len(pairs),
        "plain": figures([one.plain.label for one in pairs], pairs),
        "thorough": figures([one.thorough.label for one in pairs], pairs),
        "wider": figures([label_with(one, wider) for one in pairs], pairs),
        "wider_band": wider,
        "flipped": sum(one.plain.label != one.thorough.label for one in pairs),
    }


def times(detector: Detector, samples: Sequence[Sample]) -> dict:
    """Milliseconds of a verdict from the file, plain and thorough, in turns: {"pictures", "plain_ms", "thorough_ms":
    means, "ratio"}."""
    taken: dict[bool, list[float]] = {False: [], True: []}
    for sample in samples:
        for thorough in taken:
            started = perf_counter()
            detector.predict_one(sample.path, thorough)
            taken[thorough].append(1000 * (perf_counter() - started))
    plain, thorough = (float(np.mean(taken[way])) for way in (False, True))
    return {"pictures": len(samples), "plain_ms": plain, "thorough_ms": thorough, "ratio": thorough / plain}


def is_worth_it(splits: dict[str, dict], ratio: float) -> bool:
    """Whether being thorough is the better default: at an equal share decided it is right at least MIN_GAIN more often
    on val, cross does not disagree, and it takes at most MAX_COST times as long."""
    val, cross = (splits[name]["thorough"]["accuracy"] - splits[name]["wider"]["accuracy"] for name in SPLITS)
    return val >= MIN_GAIN and cross > 0 and ratio <= MAX_COST


def thorough_markdown(report: dict) -> str:
    """The report as a table and the conclusion."""
    lines = [
        "# Are thorough verdicts worth their time?",
        "",
        "Thorough: decided faces are scored again after small changes, and those whose score changes sides are unsure. "
        "Wider: without that, but with an unsure band that leaves as many pictures decided.",
        "",
        "| split | verdicts | decided | right of those | false alarms | flipped |",
        "|---|---|---|---|---|---|",
    ]
    for split, found in report["splits"].items():
        for way in ("plain", "thorough", "wider"):
            f = found[way]
            rates = [figure(name, f[key]) for name, key in (("accuracy", "coverage"), ("accuracy", "accuracy"),
                                                           ("false_alarm_rate", "false_alarm_rate"))]  # fmt: skip
            flipped = found["flipped"] if way == "thorough" else ""
            lines.append(f"| {split}, {found['pictures']} | {way} | {' | '.join(rates)} | {flipped} |")
    time = report["time"]
    lines += [
        "",
        f"A verdict takes {time['plain_ms']:.0f} ms, a thorough one {time['thorough_ms']:.0f} ms: {time['ratio']:.2f} "
        f"times as long, over {time['pictures']} pictures of val in turns.",
        "",
        f"Asked for: {100 * MIN_GAIN:g} point more right on val than the wider band, cross on the same side, at most "
        f"{MAX_COST:g} times as long. By that, thorough is {'' if report['worth_it'] else 'not '}the default.",
    ]
    return "\n".join(lines) + "\n"


def run(model: Path, data: Folders, out: Path) -> int:
    """The command `python -m train thorough`; returns its exit status: 1 where the default is not what was measured."""
    detector = Detector(model)
    m = detector.metadata
    samples = read_samples(data, m.seed, needed=SPLITS)
    report = {
        "model": {"sha256": detector.model.sha256, "recipe": m.recipe, "recipe_sha256": m.recipe_sha256},
        "data_sha256": data_sha256(data, samples), "unsure_band": m.unsure_band, "machine": machine(), "splits": {},
    }  # fmt: skip
    for split in SPLITS:
        chosen = [sample for sample in samples if sample.split == split]
        with ThreadPoolExecutor(cpu_count()) as pool:
            judged = pool.map(lambda sample: verdict_pair(detector, sample), chosen)
            pairs = list(tqdm(judged, desc=split, total=len(chosen), unit="picture", disable=None))
        report["splits"][split] = compared(pairs, m.unsure_band)
    val = [sample for sample in samples if sample.split == "val"]
    report["time"] = times(detector, val[:: max(1, len(val) // TIMED)])
    report["worth_it"] = is_worth_it(report["splits"], report["time"]["ratio"])
    print(thorough_markdown(report))
    out.mkdir(parents=True, exist_ok=True)
    write_report(out, "thorough", report, thorough_markdown(report))
    if report["worth_it"] != THOROUGH:
        print(f"deepfake_detect.detector.THOROUGH is {THOROUGH}, which this speaks against.")
        return 1
    return 0
