"""model.onnx -> model_int8.onnx: a quarter of the size, measured beside it, and written only if it judges as well."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.detector import Detector, default_model
from deepfake_detect.model.onnx_model import Metadata, Model
from deepfake_detect.model.scoring import BATCH
from export import ExportError
from export.calibrate import calibrated
from export.quantize_report import quantize_markdown
from export.rounding import round_weights
from train.calibrate import asked_by
from train.crops import Framing, cached_crops
from train.data import DataError, Folders, Sample, data_sha256, read_samples
from train.evaluate import headline, latency_ms, tier_report
from train.metrics import THRESHOLD
from train.recipe import Recipe, load_recipe
from train.report import write_report
from train.scored_set import ScoredSet, judge
from train.tiers import TIERS, open_degraded

CROPS = 1024  # of the train split, about, to read the activations' ranges from
MAX_AUC_LOST = 0.005  # on val, in every tier
MAX_ECE_GAINED = 0.01  # the same
MAX_BYTES = 2_700_000
ROUNDS, TURNS = 20, 10  # of the timing, in turns


def quantize(model: Path, data: Folders, out: Path, report: Path, recipe: str | Path | None = None) -> dict:
    """Write an int8 file of a model, and a report on both.

    Static quantization: activations uint8, weights int8 per channel, as QuantizeLinear and DequantizeLinear nodes
    (QDQ). Ranges are read from crops of the train split, augmented as in training. Temperature, unsure band and kinds
    are fitted to val as the training fits them, of the same looks. Then both files judge val the way they are served;
    only where the int8 file holds the limits above is anything written, and the test split looked at, once.

    Args:
        model: the float32 file.
        data: what it was trained on, see `train.data.read_samples`.
        out: the int8 file to write.
        report: folder for quantize.json and quantize.md.
        recipe: that of the training, a name or a file; by default the one that the model names.

    Returns:
        The report, see `_report`.

    Raises:
        ModelError: the model cannot serve.
        RecipeError: there is no such recipe.
        DataError: the data cannot be used, or the model comes from another recipe.
        ExportError: the model is int8 already, or the int8 file is worse or larger than allowed.
    """
    detector = Detector(model)
    metadata = detector.metadata
    used = load_recipe(recipe or metadata.recipe)
    if used.sha256 != metadata.recipe_sha256:
        raise DataError(f"{model} was not trained by the recipe {used.name}; give --recipe the file that it was.")
    samples = read_samples(data, metadata.seed)
    crops = training_crops(used, samples)
    with atomic_write(out) as partial_file:
        proto = to_int8(detector.model.path, crops)
        tier = used.tier or "clean"
        _save(proto, metadata, detector.model.sha256, partial_file)
        metadata = calibrated(Detector(partial_file), samples, tier, asked_by(used))
        _save(proto, metadata, detector.model.sha256, partial_file)
        pair = {"fp32": detector, "int8": Detector(partial_file)}
        measured = {"val": measure(pair, samples, "val")}
        check_gate(measured["val"], partial_file.stat().st_size)
        if any(sample.split == "test" for sample in samples):
            measured["test"] = measure(pair, samples, "test")
        split = list(measured)[-1]
        clean = measured[split]["clean"]["int8"]
        metadata = replace(metadata, metrics=headline({"split": split, "tiers": {"clean": clean}}))
        _save(proto, metadata, detector.model.sha256, partial_file)
        files = {"fp32": detector.model, "int8": Model(partial_file)}
        values = _report(files, measured, used, tier, len(crops), data_sha256(data, samples))
        report.mkdir(parents=True, exist_ok=True)
        write_report(report, "quantize", values, quantize_markdown(values))
    return values


def training_crops(recipe: Recipe, samples: Sequence[Sample]) -> np.ndarray:
    """About CROPS pixel values [N, 3, S, S] float32: the train split, augmented and degraded as the recipe says.

    Half of the pictures are real, and each class has its sources in equal numbers, as far as these have as many. They
    are drawn by the recipe's seed.
    """
    from train.batches import Batches  # here, because Keras takes seconds to load

    members = defaultdict(list)
    for sample in samples:
        if sample.split == "train":
            members[sample.label, sample.source].append(sample)
    rng, chosen = np.random.default_rng(recipe.seed), []
    for (label, _), own in sorted(members.items()):
        share = -(-CROPS // 2 // sum(other == label for other, _ in members))
        chosen += [own[number] for number in rng.permutation(len(own))[:share]]
    with TemporaryDirectory() as folder:
        framing = Framing.of(recipe, "train")
        crops = cached_crops(chosen, framing, recipe.resampling, Path(folder), "train")
        every = recipe.model_copy(update={"views_per_epoch": None})  # as many views as there are crops
        batches = Batches(crops, BATCH, recipe.size, every)
        pixels = np.concatenate([batches[number][0] for number in range(len(batches))])  # [N, S, S, 3]
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))


class _Reader(CalibrationDataReader):
    """Hands batches to onnxruntime's calibration, one after the other."""

    def __init__(self, batches: Sequence[np.ndarray]):
        self.batches = iter(batches)

    def get_next(self) -> dict | None:
        batch = next(self.batches, None)
        return None if batch is None else {"pixel_values": batch}


def to_int8(model: Path, crops: np.ndarray) -> onnx.ModelProto:
    """A float32 ONNX file -> the graph in QDQ form, with ranges of the activations over crops [N, 3, S, S].

    Raises:
        ExportError: the file is quantized already.
    """
    if any(node.op_type == "DequantizeLinear" for node in onnx.load(model).graph.node):
        raise ExportError(f"{model} is quantized already; give --model the float32 file.")
    batches = [crops[start : start + BATCH] for start in range(0, len(crops), BATCH)]
    with TemporaryDirectory() as folder:
        prepared, quantized = Path(folder) / "prepared.onnx", Path(folder) / "quantized.onnx"
        quant_pre_process(model, prepared, skip_symbolic_shape=True)  # folds batch normalisation; all shapes are known
        proto = onnx.load(prepared)
        round_weights(proto, batches)
        onnx.save(proto, prepared)
        quantize_static(
            prepared,
            quantized,
            _Reader(batches),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,  # see `round_weights`
        )
        proto = onnx.load(quantized)
    used = {node.domain for node in proto.graph.node}
    for opset in [opset for opset in proto.opset_import if opset.domain not in used]:
        proto.opset_import.remove(opset)  # onnxruntime names all that it knows; other runtimes need not know them
    return proto


def measure(pair: dict[str, Detector], samples: Sequence[Sample], split: str) -> dict:
    """Both files on a split, in every tier, the way they are served.

    Returns:
        {tier: {"fp32" and "int8": see `train.evaluate.tier_report`, "difference": see `_difference`}}.
    """
    chosen, tiers = [sample for sample in samples if sample.split == split], {}
    for tier in TIERS:
        opened: Callable = partial(open_degraded, tier=tier)
        judged = {name: judge(detector, chosen, opened, f"{split}, {tier}, {name}") for name, detector in pair.items()}
        figures = {name: tier_report(found, with_intervals=False) for name, found in judged.items()}
        tiers[tier] = figures | {"difference": _difference(*judged.values())}
    return tiers


def _difference(one: ScoredSet, other: ScoredSet) -> dict:
    """Largest and mean difference of p_fake, and shares of the pictures on the same side of the threshold and with the
    same verdict ("real", "fake" or "unsure")."""
    apart = np.abs(one.p_fake - other.p_fake)
    pairs = list(zip(one.verdicts, other.verdicts, strict=True))
    return {
        "largest": float(apart.max()),
        "mean": float(apart.mean()),
        "same_side": float(((one.p_fake >= THRESHOLD) == (other.p_fake >= THRESHOLD)).mean()),
        "same_verdict": sum(a.label == b.label for a, b in pairs) / len(pairs),
    }


def check_gate(val: dict, size: int) -> None:
    """Raises ExportError where the int8 file, of so many bytes, is worse or larger than allowed."""
    if size > MAX_BYTES:
        raise ExportError(f"The int8 file has {size} bytes, over the {MAX_BYTES} allowed; nothing was written.")
    for tier, found in val.items():
        before, after = (found[name]["all"] for name in ("fp32", "int8"))
        for name, worse, limit in (
            ("AUC", before["auc"] - after["auc"], MAX_AUC_LOST),
            ("ECE", after["ece"] - before["ece"], MAX_ECE_GAINED),
        ):
            if not worse <= limit:
                raise ExportError(
                    f"On val, {tier}, the int8 file's {name} is {after[name.lower()]:.4f} where fp32 has "
                    f"{before[name.lower()]:.4f}, worse by more than the {limit} allowed; nothing was written."
                )


def _report(files: dict[str, Model], measured: dict, recipe: Recipe, tier: str, crops: int, data_hash: str) -> dict:
    """{"fp32" and "int8": the file, "data_sha256", "recipe", "recipe_sha256", "crops" that ranges were read from,
    "calibration": what temperature and band were fitted to, "gate": its limits, "onnxruntime": the version, "splits":
    {"val" and, where the data has one, "test": see `measure`}}."""
    described = {
        name: {
            "sha256": model.sha256,
            "bytes": model.path.stat().st_size,
            "temperature": model.metadata.temperature,
            "unsure_band": list(model.metadata.unsure_band),
        }
        for name, model in files.items()
    }
    return described | {
        "data_sha256": data_hash,
        "recipe": recipe.name,
        "recipe_sha256": recipe.sha256,
        "seed": recipe.seed,
        "crops": crops,
        "calibration": {
            "split": "val",
            "tier": tier,
            "decided_accuracy": recipe.decided_accuracy,
            "false_alarms": recipe.false_alarms,
            "unseen_accuracy": recipe.unseen_accuracy,
        },
        "gate": {"auc_lost": MAX_AUC_LOST, "ece_gained": MAX_ECE_GAINED, "bytes": MAX_BYTES},
        "onnxruntime": version("onnxruntime"),
        "splits": measured,
    }


def _save(proto: onnx.ModelProto, metadata: Metadata, original: str, path: Path) -> None:
    """With the sha256 of the float32 file that it comes from."""
    onnx.helper.set_model_props(proto, metadata.to_properties() | {"float_sha256": json.dumps(original)})
    onnx.save(proto, path)


def print_latency(files: dict[str, Path]) -> None:
    """Print the median milliseconds of one crop by either file, measured in turns, and their ratio."""
    for threads in (1, 2):
        turns = [{name: latency_ms(file, threads, ROUNDS) for name, file in files.items()} for _ in range(TURNS)]
        fp32, int8 = (float(np.median([turn[name] for turn in turns])) for name in ("fp32", "int8"))
        print(f"one crop, {threads} thread{'s' * (threads > 1)}: fp32 {fp32:.2f} ms, int8 {int8:.2f} ms, "
              f"{int8 / fp32:.2f} of it")  # fmt: skip


def add_arguments(parser) -> None:
    """Declare the arguments of `python -m export quantize`."""
    parser.add_argument("--model", type=Path, default=default_model(), help="the float32 file (default: model.onnx)")
    parser.add_argument("--data", type=Path, required=True, nargs="+", help="what it was trained on, see train fit")
    parser.add_argument("--out", type=Path, help="default: model_int8.onnx, after the model's name, beside it")
    parser.add_argument("--report", type=Path, metavar="DIR", help="default: reports/quantize beside the model")
    parser.add_argument("--recipe", help="of the training, where train/recipes/ has it not: its .yaml file")


def run(args) -> None:
    """The command `python -m export quantize`."""
    model = args.model
    out = args.out or model.with_name(f"{model.stem}_int8.onnx")
    report = args.report or model.parent / "reports" / "quantize"
    values = quantize(model, args.data, out, report, args.recipe)
    before, after = (values["splits"]["val"]["clean"][name]["all"]["auc"] for name in ("fp32", "int8"))
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB, AUC on val {after:.4f} where fp32 has {before:.4f}; see {report}")
    print_latency({"fp32": model, "int8": out})
