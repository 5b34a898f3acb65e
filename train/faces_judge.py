"""What a detector finds and says of pictures, one JSON line each: python train/faces_judge.py CHECKOUT < paths

A program of its own that uses no more than `Detector`, so that an earlier checkout can be measured, too.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path


def main() -> None:
    checkout = Path(sys.argv[1])
    sys.path.insert(0, str(checkout))
    from deepfake_detect import Detector

    detector = Detector(checkout / "model.onnx")

    def judge(path: str) -> str:
        found = detector.prepare(path).faces
        (verdict,) = detector.predict([path])
        return json.dumps({
            "path": path, "label": verdict.label, "p_fake": verdict.p_fake,
            "boxes": [face.box for face in verdict.faces],
            "tilted": any(getattr(face, "angle", 0) for face in found),
            "border": any(getattr(face, "frame", None) for face in found),
        })  # fmt: skip

    with ThreadPoolExecutor(cpu_count()) as pool:
        for line in pool.map(judge, sys.stdin.read().split("\n")[:-1]):
            print(line, flush=True)


if __name__ == "__main__":
    main()
