"""The network as it serves, in onnxruntime, beside other engines, and beside the network that most detectors are."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable

import numpy as np

from bench.serving import EXAMPLES, ROOT
from bench.timing import in_turns, median_ms
from deepfake_detect.detector import Detector, default_model
from deepfake_detect.face.crop import pixel_values
from deepfake_detect.model.onnx_model import Model

THREADS, BATCHES = (1, 2), (1, 32)
ROUNDS = {1: 30, 32: 5}  # by batch
PREFETCH = {1: 1, 32: 0}  # see `in_turns`; a long run hardly notices what its predecessor leaves
FIRST, INT8 = "onnxruntime, float32", "onnxruntime, int8"
OPENVINO = "OpenVINO, float32"
KERAS, FUNCTION, LITERT = "Keras predict", "tf.function", "LiteRT"
VIT, VIT_SIDE = "ViT-B/16, torch", 224
OTHERS = (OPENVINO, KERAS, FUNCTION, LITERT)
# Engines with the same weights, and how far their logits may be apart; those of different crops are by about 1.
AGREE = ((FIRST, OPENVINO, 1e-3), (FIRST, INT8, 1), (KERAS, FUNCTION, 1e-3), (KERAS, LITERT, 1e-3))
SETTINGS = [f"{batch} crop{'s' * (batch > 1)}, {t} thread{'s' * (t > 1)}" for t in THREADS for batch in BATCHES]

Work = Callable[[], np.ndarray]  # gives logits [N, 2]
Engine = Callable[[np.ndarray], Work]  # takes pixel values [N, 3, S, S]; whatever comes before a run is done then


def measure() -> list[dict]:
    """Each number of threads in a process of its own, because TensorFlow takes it once and for all."""
    found = []
    for threads in THREADS:
        words = [sys.executable, "-m", "bench.engines", "--threads", str(threads)]
        quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env=quiet)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    times = {name: [of_threads[name][str(b)] for of_threads in found for b in BATCHES] for name in found[0]}
    ratios = {name: [round(a / b, 2) for a, b in zip(row, times[FIRST], strict=True)] for name, row in times.items()}
    note = f"median of {ROUNDS[1]} rounds in turns for one crop, of {ROUNDS[32]} for 32"
    return [
        {"name": "ratios", "title": f"Time for face crops through the network, as multiples of “{FIRST}”",
         "columns": ["engine", *SETTINGS], "rows": [[name, *row] for name, row in ratios.items()]},
        {"name": "times", "title": f"The same in milliseconds, {note}",
         "columns": ["engine", *SETTINGS], "rows": [[name, *row] for name, row in times.items()]},
    ]  # fmt: skip


def in_this_process(threads: int) -> dict[str, dict[int, float]]:
    """Median milliseconds of every engine by batch size, with so many threads."""
    engines: dict[str, Engine] = {FIRST: _ours(Model(default_model(), threads))}
    engines[INT8] = _ours(Model(ROOT / "model_int8.onnx", threads))
    engines[OPENVINO] = _openvino(threads)
    crops = example_crops()
    engines |= _tensorflow(threads, crops)
    engines[VIT] = _vit(threads)
    taken = {name: {} for name in engines}
    for batch in BATCHES:
        work = {name: engine(np.resize(crops, (batch, *crops.shape[1:]))) for name, engine in engines.items()}
        check_agreement({name: run() for name, run in work.items()})  # which warms them up, too
        for name, seconds in in_turns(work, ROUNDS[batch], warm_up=0, ahead=PREFETCH[batch]).items():
            taken[name][batch] = median_ms(seconds)
    return taken


def example_crops() -> np.ndarray:
    """The faces in examples/ as pixel values [N, 3, S, S]."""
    detector = Detector(default_model())
    return pixel_values(np.concatenate([detector.prepare(file).crops for file in EXAMPLES]))


def check_agreement(logits: dict[str, np.ndarray]) -> None:
    """Raise RuntimeError where an engine's logits [N, 2] are not what they should be: it would be timed at something
    else than the others."""
    for name, found in logits.items():
        if found.shape != logits[FIRST].shape or not np.isfinite(found).all():
            raise RuntimeError(f"{name} gives {found.shape} instead of {logits[FIRST].shape} finite logits.")
    for first, name, tolerance in AGREE:
        difference = np.abs(logits[first] - logits[name]).max()
        if difference > tolerance:
            raise RuntimeError(f"{name} differs from {first} by {difference:.1e}; nothing was measured.")


def _ours(model: Model) -> Engine:
    return lambda pixels: lambda: model.logits(pixels, use_all_cores=True)


def _openvino(threads: int) -> Engine:
    import openvino

    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(str(default_model()), "CPU", settings)
    return lambda pixels: lambda: compiled(pixels)["logits"]


def _tensorflow(threads: int, crops: np.ndarray) -> dict[str, Engine]:
    """The network as Keras builds it, with random weights, on which the speed does not depend. Its batch normalisation
    is set by these crops, so that logits differ from crop to crop and engines can be compared."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from ai_edge_litert.interpreter import Interpreter

    from train.network import build
    from train.recipe import load_recipe

    network = build(load_recipe("shipped").model_copy(update={"batch_norm_momentum": 0.0}))
    network(_channels_last(crops), training=True)
    function = tf.function(lambda pixels: network(pixels, training=False))
    lite = tf.lite.TFLiteConverter.from_keras_model(network).convert()

    def keras_predict(pixels: np.ndarray) -> Work:
        given = _channels_last(pixels)
        return lambda: network.predict(given, verbose=0)

    def tf_function(pixels: np.ndarray) -> Work:
        given = _channels_last(pixels)
        return lambda: function(tf.constant(given)).numpy()

    def litert(pixels: np.ndarray) -> Work:
        given = _channels_last(pixels)
        interpreter = Interpreter(model_content=lite, num_threads=threads)
        (entry,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
        interpreter.resize_tensor_input(entry["index"], given.shape)
        interpreter.allocate_tensors()

        def run() -> np.ndarray:
            interpreter.set_tensor(entry["index"], given)
            interpreter.invoke()
            return interpreter.get_tensor(out["index"])

        return run

    return {KERAS: keras_predict, FUNCTION: tf_function, LITERT: litert}


def _channels_last(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))


def _vit(threads: int) -> Engine:
    """The architecture of the most downloaded detectors, with random weights and pixels."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification

    torch.set_num_threads(threads)
    network = ViTForImageClassification(ViTConfig(image_size=VIT_SIDE, num_labels=2)).eval()

    def engine(pixels: np.ndarray) -> Work:
        given = torch.rand(len(pixels), 3, VIT_SIDE, VIT_SIDE)

        def run() -> np.ndarray:
            with torch.inference_mode():
                return network(given).logits.numpy()

        return run

    return engine


def main(argv: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, required=True)
    print(json.dumps(in_this_process(parser.parse_args(argv).threads)))


if __name__ == "__main__":
    main()
