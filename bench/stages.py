"""One verdict watched from outside: how often each of its stages runs, on what, and how long."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from unittest.mock import patch

import numpy as np
import onnxruntime
from PIL import Image

import deepfake_detect.detector
from deepfake_detect.detector import Detector
from deepfake_detect.face import face_crops

DECODE, FIND, CROP, NETWORK = "decode", "find faces", "crop and warnings", "network"


@dataclass
class Seen:
    """What a detector did while it was watched."""

    seconds: Counter = field(default_factory=Counter)  # by stage
    opened: list[Image.Image] = field(default_factory=list)  # files, with the size at which they were decoded
    searched: list[tuple[int, int]] = field(default_factory=list)  # width and height in each run of the face finder
    judged: list[int] = field(default_factory=list)  # crops in each run of the network

    @property
    def named(self) -> float:
        """Seconds spent on what cannot be left out: decoding, finding faces, the network."""
        return self.seconds[DECODE] + self.seconds[FIND] + self.seconds[NETWORK]


@contextmanager
def watched(detector: Detector, clock: Callable[[], float] = perf_counter) -> Iterator[Seen]:
    """Watch a detector while it judges, one picture at a time."""
    seen, open_file, run_session = Seen(), Image.open, onnxruntime.InferenceSession.run

    def timed(stage: str, function: Callable) -> Callable:
        def run(*values, **named):
            started = clock()
            try:
                return function(*values, **named)
            finally:
                seen.seconds[stage] += clock() - started

        return run

    def opened(*values, **named) -> Image.Image:
        seen.opened.append(open_file(*values, **named))
        return seen.opened[-1]

    def run(session: onnxruntime.InferenceSession, names: list[str], given: dict, *more) -> list[np.ndarray]:
        (pixels,) = given.values()  # [N, 3, H, W]
        if session in detector.model.sessions:
            seen.judged.append(len(pixels))
        else:
            seen.searched.append(pixels.shape[:1:-1])
        return run_session(session, names, given, *more)

    places = [(deepfake_detect.detector, "open_downscaled", DECODE), (detector.face_finder, "search", FIND),
              (face_crops, "cut", CROP), (face_crops, "face_warnings", CROP),
              (detector.model, "outputs", NETWORK)]  # fmt: skip
    with ExitStack() as stack:
        for owner, name, stage in places:
            stack.enter_context(patch.object(owner, name, timed(stage, getattr(owner, name))))
        stack.enter_context(patch.object(Image, "open", opened))
        stack.enter_context(patch.object(onnxruntime.InferenceSession, "run", run))
        yield seen
