"""Keras run -> model.onnx that describes itself."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.detector import Detector
from deepfake_detect.face.crop import pixel_values
from deepfake_detect.model.onnx_model import LABELS, Looks, Metadata, Model
from export import ExportError
from train.data import DataError, data_sha256, read_samples
from train.evaluate import measured_headline
from train.network import build
from train.run import Run

OPSET = 17  # read by every onnxruntime since 1.13, by onnxruntime-web and by Optimum
PARITY_CROPS = 256
PARITY_TOLERANCE = 1e-4  # on logits


def export_onnx(run_folder: Path, out: Path) -> Metadata:
    """Write the best weights of a finished run as an ONNX file with its metadata inside.

    The file is compared with Keras on 256 validation crops, then measured on the test split (on val where
    the data has no test split), and only then takes its name.

    Returns:
        The file's metadata.

    Raises:
        DataError: no such run, it has not ended, or its data is gone or has changed.
        ExportError: the logits differ from Keras by more than 1e-4.
    """
    run = Run.load(run_folder)
    calibration = run.calibration
    if "looks" not in calibration:
        raise DataError(f"{run_folder} was calibrated by an earlier version; run `python -m train calibrate` on it.")
    samples = read_samples(run.data, run.recipe.seed)
    if data_sha256(run.data, samples) != run.data_sha256:
        raise DataError(f"{run.data} has changed since {run_folder} was trained on it; train again.")
    keras_model = build(run.recipe)
    keras_model.load_weights(run.best_weights)
    metadata = Metadata(
        labels=LABELS,
        size=run.recipe.size,
        crop_margin=run.recipe.crop_margin,
        resampling=run.recipe.resampling,
        temperature=calibration["temperature"],
        unsure_band=tuple(calibration["unsure_band"]),
        recipe=run.recipe.name,
        recipe_sha256=run.recipe.sha256,
        seed=run.recipe.seed,
        data_sha256=run.data_sha256,
        kinds=calibration.get("kinds"),
        looks=Looks(tuple(calibration["looks"]["framings"]), calibration["looks"]["mirrored"]),
    )
    with atomic_write(out) as partial:
        proto = to_onnx(keras_model, run.recipe.size)
        _save(proto, metadata, partial)
        val = run.crops("val", samples)
        chosen = range(0, len(val), max(1, len(val) // PARITY_CROPS))[:PARITY_CROPS]  # both classes, all sources
        crops = np.stack([val.crop(number, run.recipe.size) for number in chosen])
        difference = check_parity(keras_model, Model(partial), crops)
        print(f"onnxruntime and Keras agree within {difference:.1e} on the logits of {len(crops)} crops")
        split = "test" if any(sample.split == "test" for sample in samples) else "val"
        metadata = replace(metadata, metrics=measured_headline(Detector(partial), samples, split))
        _save(proto, metadata, partial)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB, accuracy {metadata.metrics['accuracy']:.4f} on {split}")
    return metadata


def to_onnx(model: keras.Model, size: int) -> onnx.ModelProto:
    """A Keras model [N, S, S, 3] -> logits as ONNX: `pixel_values` [batch, 3, S, S] -> `logits` [batch, 2], and `kinds`
    [batch, K] where the model gives them. Logits come first: what reads one output reads these.

    tf2onnx's `from_function` gives clean names; `from_keras` fails on reloaded models (tensorflow-onnx 2448).
    """
    spec = tf.TensorSpec([None, size, size, 3], tf.float32, name="pixel_values")

    def outputs(pixel_values: tf.Tensor) -> dict[str, tf.Tensor]:
        given = model(pixel_values, training=False)
        return given if isinstance(given, dict) else {"logits": given}

    function = tf.function(outputs, input_signature=[spec])
    proto, _ = tf2onnx.convert.from_function(
        function, input_signature=[spec], opset=OPSET, inputs_as_nchw=["pixel_values"]
    )
    in_order = sorted(proto.graph.output, key=lambda value: value.name != "logits")
    del proto.graph.output[:]
    proto.graph.output.extend(in_order)
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    proto.graph.name = model.name
    return proto


def check_parity(keras_model: keras.Model, model: Model, crops: np.ndarray) -> float:
    """Largest difference of any output between Keras and onnxruntime on crops [N, S, S, 3] uint8.

    Raises:
        ExportError: it is above 1e-4, or not a number.
    """
    expected = keras_model.predict(crops.astype(np.float32) / np.float32(255), verbose=0)
    found = model.outputs(pixel_values(crops))
    pairs = [(expected, found.logits)]
    if isinstance(expected, dict):
        pairs = [(expected["logits"], found.logits), (expected["kinds"], found.kinds)]
    difference = max(float(np.abs(keras_says - onnx_says).max()) for keras_says, onnx_says in pairs)
    if not difference <= PARITY_TOLERANCE:
        raise ExportError(
            f"onnxruntime's logits differ from Keras's by {difference:.1e}, more than {PARITY_TOLERANCE:.0e} allowed; "
            "nothing was written."
        )
    return difference


def _save(proto: onnx.ModelProto, metadata: Metadata, path: Path) -> None:
    onnx.helper.set_model_props(proto, metadata.to_properties())
    onnx.save(proto, path)
