"""The reports on the shipped model, and the part of the card's metadata that machines read them from."""

import json
from pathlib import Path

from huggingface_hub import EvalResult, ModelCardData

from deepfake_detect.errors import FiguresError
from deepfake_detect.report.evaluation import read_report
from export import ExportError
from export.sources import LICENCE_NAME, name_of
from train.report import figure
from train.tiers import TIERS

# Figures of the reports by what the Hub calls them: its name, what a reader calls it.
METRICS = {
    "accuracy": ("accuracy", "accuracy"),
    "auc": ("roc_auc", "AUC"),
    "f1": ("f1", "F1"),
    "recall": ("recall", "fakes detected"),
    "false_alarm_rate": ("false_alarm_rate", "false alarms"),
    "ece": ("ece", "ECE"),
}
SPLITS = ("test", "cross")


def shipped_report(root: Path, split: str, sha256: str) -> dict:
    """reports/shipped/SPLIT/report.json of a project's folder.

    Raises:
        ExportError: it is not there, cannot be read, or is of another model file than that with this sha256.
    """
    folder = root / "reports" / "shipped" / split
    try:
        return read_report(folder, sha256)
    except FiguresError as error:
        raise ExportError(
            f"{folder / 'report.json'} cannot be used. {error} Measure model.onnx with `make reports`."
        ) from None


def read_json(path: Path) -> dict | None:
    """A JSON file; None where there is none. Raises ExportError for one that is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise ExportError(f"{path} is damaged. Restore it, or make it again.") from None


def eval_results(report: dict) -> list[EvalResult]:
    """Every figure of a report that METRICS names, by source and tier, rounded as the tables are."""
    results = []
    for tier in TIERS:
        figures = report["tiers"][tier]
        rows = {"all": ("all pictures", figures["all"])}
        rows |= {source: (name_of(source), metrics) for source, metrics in figures["sources"].items()}
        for source, (name, metrics) in rows.items():
            for key, (metric, shown) in METRICS.items():
                if metrics.get(key) is None:
                    continue
                results.append(
                    EvalResult(
                        task_type="image-classification",
                        task_name="real or fake face",
                        dataset_type=source,
                        dataset_name=f"{name}, {tier}",
                        dataset_config=tier,
                        dataset_split=report["split"],
                        metric_type=metric,
                        metric_name=shown,
                        metric_value=float(figure(key, metrics[key])),
                    )
                )
    return results


def card_data(reports: list[dict]) -> ModelCardData:
    """The card's YAML metadata."""
    return ModelCardData(
        model_name="mobile-deepfake-detector",
        license="other",
        license_name=LICENCE_NAME,
        license_link="LICENSE.md",
        library_name="onnx",
        pipeline_tag="image-classification",
        base_model="google/mobilenet_v2_1.0_224",
        base_model_relation="finetune",
        tags=["deepfake-detection", "face-forgery", "mobilenet_v2", "onnxruntime", "optimum", "transformers.js",
              "calibration"],
        metrics=["accuracy", "f1", "recall", "roc_auc"],  # those that the Hub knows
        eval_results=[result for report in reports for result in eval_results(report)],
    )  # fmt: skip
