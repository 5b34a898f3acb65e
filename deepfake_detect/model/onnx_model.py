"""model.onnx: the network and everything that belongs to it, read from the file's own metadata.

Input `pixel_values` float32 [N, 3, S, S], RGB, 0..1. Output `logits` float32 [N, 2]: real, fake. A second output,
`kinds` float32 [N, K], may say what kind of fake it is; the metadata then name its classes.
"""

import hashlib
import json
import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
import onnxruntime

from deepfake_detect.errors import ModelError
from deepfake_detect.face.crop import RESAMPLING
from deepfake_detect.model.weight_check import are_finite

CONTRACT = 1  # of the metadata; a file with another number is refused
LABELS = ("real", "fake")
OPTIONAL = ("kinds", "looks", "video")  # metadata that a file need not have
MICRO_BATCH = 4  # crops in one run of the network: of more, what lies between its layers leaves the processor's cache
MOST_CORES = 4  # on one run: more have too little to do between two of its layers


@dataclass(frozen=True)
class Looks:
    """How a face is looked at: its logits are the mean of those of all looks."""

    framings: tuple[float, ...] = (1.0,)  # sides of the squares that are cut out, as times that of `crop_margin`
    mirrored: bool = True  # each is looked at in the mirror as well

    @property
    def count(self) -> int:
        """Looks of the network at one face."""
        return len(self.framings) * (1 + self.mirrored)

    def are_usable(self) -> bool:
        """Whether a face can be cut out so."""
        numbers = all(isinstance(framing, int | float) and 0.5 <= framing <= 2 for framing in self.framings)
        return 1 <= len(self.framings) <= 8 and numbers and isinstance(self.mirrored, bool)


@dataclass(frozen=True)
class Metadata:
    """What the model file says of itself. Stored as one metadata property per field, JSON-encoded."""

    labels: tuple[str, str]  # names of the two logits
    size: int  # side S of the input, pixels
    crop_margin: float  # see deepfake_detect.face.crop.crop_box
    resampling: str  # of the resize to S
    temperature: float  # logits are divided by this before the softmax
    unsure_band: tuple[float, float]  # p_fake strictly between these is "unsure"
    recipe: str  # name of the training recipe
    recipe_sha256: str
    seed: int  # of the recipe: also of the 80/20 split where the data has no val split of its own
    data_sha256: str  # of the training data's manifest
    metrics: dict = field(default_factory=dict)  # headline figures on pictures held out, see train/evaluate.py
    contract: int = CONTRACT
    # Of the output `kinds`, where there is one: {"names": its K classes, the first real, "temperature": as above,
    # "least": {class: probability among the fake ones from which on it is named}, without those never named}
    kinds: dict | None = None
    looks: Looks = field(default_factory=Looks)  # of a file that does not say: as it is, and in the mirror
    # How the frames of a video make one verdict, where that was fitted: see `deepfake_detect.video.rule.VideoRule`
    video: dict | None = None

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
            f"kinds {self.kinds}": self.kinds is None or _are_kinds(self.kinds),
            f"looks {self.looks}": self.looks.are_usable(),
            f"video {self.video}": self.video is None or _is_video_rule(self.video),
        }
        wrong = [what for what, right in checks.items() if not right]
        if wrong:
            raise ModelError("model_unsuitable", f"The model's metadata cannot be used: {'; '.join(wrong)}.")

    def to_properties(self) -> dict[str, str]:
        """As ONNX metadata properties."""
        values = asdict(self).items()
        return {key: json.dumps(value) for key, value in values if key not in OPTIONAL or value is not None}

    @classmethod
    def from_properties(cls, properties: dict[str, str]) -> "Metadata":
        """Read the properties of an ONNX file; raises ModelError for a file of another kind."""
        names = [f.name for f in fields(cls) if f.name not in OPTIONAL or f.name in properties]
        missing = [name for name in names if name not in properties]
        if missing:
            raise ModelError(
                "model_unsuitable",
                f"This ONNX file is not a detector of this project: its metadata lacks {', '.join(missing)}. "
                "Use the model.onnx that comes with it, or make one with `python -m export onnx`.",
            )
        try:
            values = {name: json.loads(properties[name]) for name in names}
            values["labels"], values["unsure_band"] = tuple(values["labels"]), tuple(values["unsure_band"])
            if "looks" in values:
                values["looks"] = Looks(tuple(values["looks"]["framings"]), values["looks"]["mirrored"])
            return cls(**values)
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(
                "model_unsuitable", f"The model's metadata cannot be read ({error}). Export or download it again."
            ) from None


def _are_kinds(kinds: object) -> bool:
    if not (isinstance(kinds, dict) and {"names", "temperature", "least"} <= kinds.keys()):
        return False
    names, temperature, least = kinds["names"], kinds["temperature"], kinds["least"]
    known = isinstance(names, list) and len(names) > 2 and all(isinstance(name, str) for name in names)
    return (
        known
        and names[0] == LABELS[0]
        and 0 < temperature < 1000
        and isinstance(least, dict)
        and least.keys() <= set(names[1:])
        and all(0 <= value <= 1 for value in least.values())
    )


def _is_video_rule(rule: object) -> bool:
    ranges = {"trim": (0, 0.49), "size_power": (0, 4), "sharpness_power": (0, 4), "temperature": (0.01, 100)}
    if not (isinstance(rule, dict) and rule.keys() == {"unsure_band", *ranges}):
        return False
    low, high = rule["unsure_band"]
    return 0 <= low <= 0.5 <= high <= 1 and all(least <= rule[name] <= most for name, (least, most) in ranges.items())


class Outputs(NamedTuple):
    """What the network gives for N crops, unscaled."""

    logits: np.ndarray  # [N, 2] float32
    kinds: np.ndarray | None  # [N, K] float32, where the file has that output


class Model:
    """The network in onnxruntime. Thread-safe.

    Args:
        path: an ONNX file with this project's metadata.
        threads: cores for the network; 0 for all.

    Raises:
        ModelError: the file is missing, damaged, of another contract, or gives no finite numbers.
    """

    def __init__(self, path: str | os.PathLike, threads: int = 0):
        self.path = Path(path)
        if not os.path.isfile(self.path):  # false, too, where the name itself is impossible
            raise ModelError(
                "model_missing", f"There is no model file {self.path}. Give its path, or run from the project's folder."
            )
        cores = threads or os.cpu_count() or 1
        try:
            data = self.path.read_bytes()
            self.sessions = [_session(data, 1)]
            if cores > 1:
                self.sessions.append(_session(data, min(cores, MOST_CORES)))
        except Exception as error:  # onnxruntime raises a dozen types of its own, all for a file it cannot run
            reason = str(error).splitlines()[0][:200]
            raise ModelError(
                "model_unreadable", f"{self.path} is not a readable ONNX model ({reason}). Export or download it again."
            ) from None
        self._pool, self._all_cores = ThreadPoolExecutor(cores), Lock()
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.metadata = Metadata.from_properties(self.sessions[0].get_modelmeta().custom_metadata_map)
        self._check_graph()
        if not are_finite(data):  # onnxruntime rounds NaN to a whole number in a quantized network
            raise ModelError(
                "model_numbers",
                f"{self.path} holds numbers that are not finite: its weights are damaged. Export again.",
            )

    def _check_graph(self) -> None:
        size = self.metadata.size
        inputs = [(i.name, i.type, i.shape[1:]) for i in self.sessions[0].get_inputs()]
        outputs = [(o.name, o.type, o.shape[1:]) for o in self.sessions[0].get_outputs()]
        expected = [("pixel_values", "tensor(float)", [3, size, size])], [("logits", "tensor(float)", [2])]
        if self.metadata.kinds:
            expected[1].append(("kinds", "tensor(float)", [len(self.metadata.kinds["names"])]))
        if (inputs, outputs) != expected:
            wanted = " and ".join(name for name, _, _ in expected[1])
            raise ModelError(
                "model_unsuitable",
                f"{self.path} takes {inputs} and gives {outputs} instead of pixel_values and {wanted}. Export it "
                "again.",
            )
        try:
            tried = self.outputs(np.full((2, 3, size, size), 0.5, np.float32))
        except Exception as error:  # see above; a graph for one picture at a time, for one
            reason = str(error).splitlines()[0][:200]
            raise ModelError(
                "model_unreadable", f"{self.path} cannot be run on two pictures ({reason}). Export it again."
            ) from None
        if not all(np.isfinite(values).all() for values in tried if values is not None):
            raise ModelError(
                "model_numbers",
                f"{self.path} gives numbers that are not finite: its weights are damaged. Export again.",
            )

    def logits(self, pixel_values: np.ndarray, use_all_cores: bool = False) -> np.ndarray:
        """[N, 3, S, S] float32 in 0..1 -> [N, 2] float32, unscaled; see `outputs`."""
        return self.outputs(pixel_values, use_all_cores).logits

    def outputs(self, pixel_values: np.ndarray, use_all_cores: bool = False) -> Outputs:
        """All that the network gives for crops [N, 3, S, S] float32 in 0..1.

        Many crops are run at most MICRO_BATCH at a time, side by side on one core each. A few, with nothing else to be
        done meanwhile, may `use_all_cores` at once: sooner, but it takes these more time together.
        """
        runs = np.array_split(pixel_values, max(1, math.ceil(len(pixel_values) / MICRO_BATCH)))
        if len(runs) > 1:
            parts = list(self._pool.map(self._run, runs))
            kinds = [part.kinds for part in parts if part.kinds is not None]
            return Outputs(np.concatenate([part.logits for part in parts]), np.concatenate(kinds) if kinds else None)
        if use_all_cores and self._all_cores.acquire(blocking=False):
            try:
                return self._run(pixel_values, self.sessions[-1])
            finally:
                self._all_cores.release()
        return self._run(pixel_values)

    def _run(self, pixel_values: np.ndarray, session: onnxruntime.InferenceSession | None = None) -> Outputs:
        names = ["logits", "kinds"] if self.metadata.kinds else ["logits"]
        values = (session or self.sessions[0]).run(names, {"pixel_values": pixel_values})
        return Outputs(values[0], values[1] if self.metadata.kinds else None)


def _session(data: bytes, cores: int) -> onnxruntime.InferenceSession:
    """The network, ready to run on so many cores at once."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores
    # Between two layers its threads wait awake; after a run they would keep others from the cores.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def probability(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of logits [N, 2] at a temperature (Guo et al. 2017), second class: [N] float64, strictly within 0..1."""
    difference = (logits[:, 1] - logits[:, 0]).astype(np.float64) / temperature
    return 1 / (1 + np.exp(-np.clip(difference, -36, 36)))  # further out a float64 says 1.0: certainty, which is none


def kind_of_fake(logits: np.ndarray, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest kind of fake, if it is one: of the output `kinds` [N, K], whose first class is real, the place of
    the highest other class [N] and its probability among those [N]."""
    scaled = logits[:, 1:].astype(np.float64) / temperature
    shares = np.exp(scaled - np.logaddexp.reduce(scaled, axis=1)[:, None])
    return shares.argmax(1) + 1, shares.max(1)


def named_kinds(logits: np.ndarray, kinds: dict) -> tuple[str | None, ...]:
    """The names of the kinds of N fakes, None where the kind is not to be named.

    Args:
        logits: [N, K] of the output `kinds`.
        kinds: see `Metadata.kinds`.
    """
    places, shares = kind_of_fake(logits, kinds["temperature"])
    names = [kinds["names"][place] for place in places]
    return tuple(
        name if name in kinds["least"] and share >= kinds["least"][name] else None
        for name, share in zip(names, shares, strict=True)
    )
