"""model.onnx: the network and everything that belongs to it, read from the file's own metadata.

Input `pixel_values` float32 [N, 3, S, S], RGB, 0..1. Output `logits` float32 [N, 2]: real, fake.
"""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
import onnxruntime

from detect.crop import RESAMPLING
from detect.weights import are_finite

CONTRACT = 1  # of the metadata; a file with another number is refused
LABELS = ("real", "fake")
RUN = 4  # crops in one run of the network: of more, what lies between its layers leaves the processor's cache


class ModelError(RuntimeError):
    """A model file that cannot serve; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Metadata:
    """What the model file says of itself. Stored as one metadata property per field, JSON-encoded."""

    labels: tuple[str, str]  # names of the two logits
    size: int  # side S of the input, pixels
    crop_margin: float  # see detect.crop.crop_box
    resampling: str  # of the resize to S
    temperature: float  # logits are divided by this before the softmax
    unsure_band: tuple[float, float]  # p_fake strictly between these is "unsure"
    recipe: str  # name of the training recipe
    recipe_sha256: str
    seed: int  # of the recipe: also of the 80/20 split where the data has no val split of its own
    data_sha256: str  # of the training data's manifest
    metrics: dict = field(default_factory=dict)  # headline figures on pictures held out, see train/evaluate.py
    contract: int = CONTRACT

    def __post_init__(self) -> None:
        low, high = self.unsure_band
        checks = {
            f"contract {self.contract} (this program reads {CONTRACT}; update it)": self.contract == CONTRACT,
            f"labels {self.labels}": tuple(self.labels) == LABELS,
            f"size {self.size}": isinstance(self.size, int) and 16 <= self.size <= 1024,
            f"crop_margin {self.crop_margin}": 0 <= self.crop_margin <= 2,
            f"resampling {self.resampling}": self.resampling in RESAMPLING,
            f"temperature {self.temperature}": 0 < self.temperature < 1000,
            f"unsure_band {self.unsure_band}": 0 <= low <= 0.5 <= high <= 1,
        }
        wrong = [what for what, right in checks.items() if not right]
        if wrong:
            raise ModelError(f"The model's metadata cannot be used: {'; '.join(wrong)}.")

    def to_properties(self) -> dict[str, str]:
        """As ONNX metadata properties."""
        return {key: json.dumps(value) for key, value in asdict(self).items()}

    @classmethod
    def from_properties(cls, properties: dict[str, str]) -> "Metadata":
        """Read the properties of an ONNX file; raises ModelError for a file of another kind."""
        names = [f.name for f in fields(cls)]
        missing = [name for name in names if name not in properties]
        if missing:
            raise ModelError(
                f"This ONNX file is not a detector of this project: its metadata lacks {', '.join(missing)}. "
                "Use the model.onnx that comes with it, or make one with `python -m export onnx`."
            )
        try:
            values = {name: json.loads(properties[name]) for name in names}
            values["labels"], values["unsure_band"] = tuple(values["labels"]), tuple(values["unsure_band"])
            return cls(**values)
        except (ValueError, TypeError) as error:
            raise ModelError(f"The model's metadata cannot be read ({error}). Export or download it again.") from None


class Model:
    """The network in onnxruntime. Thread-safe.

    Args:
        path: an ONNX file with this project's metadata.
        threads: runs of the network side by side, each on one core; 0 for as many as there are cores.

    Raises:
        ModelError: the file is missing, damaged, of another contract, or gives no finite numbers.
    """

    def __init__(self, path: str | os.PathLike, threads: int = 0):
        self.path = Path(path)
        if not os.path.isfile(self.path):  # false, too, where the name itself is impossible
            raise ModelError(f"There is no model file {self.path}. Give its path, or run from the project's folder.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # several cores on one crop spend more than they save
        options.log_severity_level = 4
        try:
            data = self.path.read_bytes()
            self.session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a dozen types of its own, all for a file it cannot run
            reason = str(error).splitlines()[0][:200]
            raise ModelError(
                f"{self.path} is not a readable ONNX model ({reason}). Export or download it again."
            ) from None
        self._pool = ThreadPoolExecutor(threads or os.cpu_count())
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.metadata = Metadata.from_properties(self.session.get_modelmeta().custom_metadata_map)
        self._check_graph()
        if not are_finite(data):  # onnxruntime rounds NaN to a whole number in a quantized network
            raise ModelError(f"{self.path} holds numbers that are not finite: its weights are damaged. Export again.")

    def _check_graph(self) -> None:
        size = self.metadata.size
        inputs = [(i.name, i.type, i.shape[1:]) for i in self.session.get_inputs()]
        outputs = [(o.name, o.type, o.shape[1:]) for o in self.session.get_outputs()]
        expected = [("pixel_values", "tensor(float)", [3, size, size])], [("logits", "tensor(float)", [2])]
        if (inputs, outputs) != expected:
            raise ModelError(
                f"{self.path} takes {inputs} and gives {outputs} instead of pixel_values and logits. Export it again."
            )
        try:
            logits = self.logits(np.full((2, 3, size, size), 0.5, np.float32))
        except Exception as error:  # see above; a graph for one picture at a time, for one
            reason = str(error).splitlines()[0][:200]
            raise ModelError(f"{self.path} cannot be run on two pictures ({reason}). Export it again.") from None
        if not np.isfinite(logits).all():
            raise ModelError(f"{self.path} gives numbers that are not finite: its weights are damaged. Export again.")

    def logits(self, pixel_values: np.ndarray) -> np.ndarray:
        """[N, 3, S, S] float32 in 0..1 -> [N, 2] float32, unscaled."""
        runs = [pixel_values[start : start + RUN] for start in range(0, len(pixel_values), RUN)]
        return np.concatenate(list(self._pool.map(self._run, runs))) if len(runs) > 1 else self._run(pixel_values)

    def _run(self, pixel_values: np.ndarray) -> np.ndarray:
        return self.session.run(["logits"], {"pixel_values": pixel_values})[0]


def in_band(p_fake: np.ndarray, band: tuple[float, float]) -> np.ndarray:
    """Which probabilities [N] lie in the unsure band: [N] bool, as `detect.verdict.label_of` has it."""
    return (p_fake > band[0]) & (p_fake < band[1])


def probability(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of logits [N, 2] at a temperature (Guo et al. 2017), second class: [N] float64, strictly within 0..1."""
    difference = (logits[:, 1] - logits[:, 0]).astype(np.float64) / temperature
    return 1 / (1 + np.exp(-np.clip(difference, -36, 36)))  # further out a float64 says 1.0: certainty, which is none
