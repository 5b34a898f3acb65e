"""The int8 file beside the float32 file, as Markdown."""

from deepfake_detect.report.sentences import floor_percent
from train.report import NAMES, figure
from train.tiers import TIERS

KEYS = ("auc", "ece", "accuracy", "balanced_accuracy", "recall", "false_alarm_rate")


def quantize_markdown(report: dict) -> str:
    """The report of `export.quantize.quantize` as tables; every figure comes out of it."""
    fp32, int8, gate, calibration = (report[key] for key in ("fp32", "int8", "gate", "calibration"))
    lines = [
        f"# {report['recipe']} in int8",
        "",
        "Activations are uint8, weights int8 (of which 7 bits are used), per channel; ranges were read from "
        f"{report['crops']} crops of the train split, augmented as in training, seed {report['seed']}. Temperature and "
        f"unsure band of the int8 file were fitted to {calibration['split']}, {calibration['tier']}, for "
        f"{floor_percent(calibration['decided_accuracy'])} of right verdicts outside the band, as the training fitted "
        "those of the float32 file. Everything was chosen on val; test was measured once, after the gate.",
        "",
        "| | float32 | int8 |",
        "|---|---|---|",
        f"| sha256 | {fp32['sha256'][:12]} | {int8['sha256'][:12]} |",
        f"| bytes | {fp32['bytes']} | {int8['bytes']} |",
        f"| temperature | {fp32['temperature']:.3f} | {int8['temperature']:.3f} |",
        f"| unsure between | {_band(fp32)} | {_band(int8)} |",
        "",
        f"Data {report['data_sha256'][:12]}, recipe {report['recipe_sha256'][:12]}, "
        f"onnxruntime {report['onnxruntime']}. "
        f"Asked of the int8 file on val, in every tier: an AUC at most {gate['auc_lost']} lower and an ECE at most "
        f"{gate['ece_gained']} higher than the float32 file's; and at most {gate['bytes']} bytes.",
    ]  # fmt: skip
    for split, tiers in report["splits"].items():
        lines += ["", f"## {split.capitalize()}", "", *_all_pictures(tiers), "", *_differences(tiers)]
        lines += ["", *_by_source(tiers)]
    lines += [
        "",
        "Good figures are cut off rather than rounded up, bad ones never rounded down. Fake is the positive class; "
        "decided is the share of pictures that get “Real” or “Fake”.",
    ]
    return "\n".join(lines) + "\n"


def _band(file: dict) -> str:
    low, high = file["unsure_band"]
    return f"{low:.2f} and {high:.2f}"


def _all_pictures(tiers: dict) -> list[str]:
    keys = " | ".join(NAMES[key] for key in KEYS)
    lines = [f"| all pictures | | {keys} | decided | of these right |", "|" + "---|" * (len(KEYS) + 4)]
    for tier in TIERS:
        for name, title in (("fp32", "float32"), ("int8", "int8")):
            figures = tiers[tier][name]
            decided = [figure("accuracy", figures["decided"][key]) for key in ("coverage", "accuracy")]
            cells = [figure(key, figures["all"][key]) for key in KEYS] + decided
            lines.append(f"| {tier} | {title} | {' | '.join(cells)} |")
    return lines


def _differences(tiers: dict) -> list[str]:
    lines = [
        "| difference | p(fake), largest | mean | same side of 0.5 | same verdict |",
        "|---|---|---|---|---|",
    ]
    for tier in TIERS:
        found = tiers[tier]["difference"]
        apart = [figure("ece", found[key]) for key in ("largest", "mean")]  # an error: never rounded down
        same = [floor_percent(found[key]) for key in ("same_side", "same_verdict")]
        lines.append(f"| {tier} | {' | '.join(apart + same)} |")
    return lines


def _by_source(tiers: dict) -> list[str]:
    columns = [(tier, name) for tier in TIERS for name in ("fp32", "int8")]
    titles = " | ".join(f"{tier} {'float32' if name == 'fp32' else name}" for tier, name in columns)
    lines = [f"| AUC | {titles} |", "|" + "---|" * (len(columns) + 1)]
    rows = {"**mean of sources**": [tiers[tier][name]["macro"] for tier, name in columns]} | {
        source: [tiers[tier][name]["sources"].get(source, {}) for tier, name in columns]
        for source, own in tiers["clean"]["fp32"]["sources"].items()
        if "auc" in own
    }
    for source, figures in rows.items():
        lines.append(f"| {source} | {' | '.join(figure('auc', found.get('auc')) for found in figures)} |")
    return lines
