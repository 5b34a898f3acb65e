"""Which network a model file holds, whatever its metadata say of it."""

import hashlib
from pathlib import Path

import onnx


def network_sha256(model: Path) -> str:
    """SHA-256 of a model file's graph and weights. The temperature, the unsure band and the figures that the file
    quotes stand in its metadata: where these are measured again, it is another file with the same network."""
    graph = onnx.load(model, load_external_data=False).graph
    return hashlib.sha256(graph.SerializeToString(deterministic=True)).hexdigest()
