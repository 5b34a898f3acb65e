"""The floating-point numbers that an ONNX file holds: whether all of them are finite.

A run alone does not tell of a quantized network, in which rounding to whole numbers makes an ordinary one of NaN. The
file is a message of Protocol Buffers, laid out as onnx.proto says; of that, only what leads to the numbers is read,
because the package onnx is not installed where the model serves.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

_GRAPH, _INITIALIZER = 7, 5  # fields of ModelProto and GraphProto
_TYPE, _FLOATS, _RAW, _DOUBLES = 2, 4, 9, 10  # fields of TensorProto
_KINDS = {1: "<f4", 10: "<f2", 11: "<f8"}  # what its type says of raw numbers; others are whole
_FIXED = {1: 8, 5: 4}  # bytes of a field, by the last three bits of its key


def are_finite(data: bytes) -> bool:
    """Whether every floating-point number among the initializers of an ONNX file that onnxruntime loads is finite."""
    return all(
        np.isfinite(numbers).all()
        for graph in _inner(memoryview(data), _GRAPH)
        for tensor in _inner(graph, _INITIALIZER)
        for numbers in _numbers(tensor)
    )


def _numbers(tensor: memoryview) -> Iterator[np.ndarray]:
    fields = dict(_fields(tensor))
    if _RAW in fields and fields.get(_TYPE) in _KINDS:
        yield np.frombuffer(fields[_RAW], _KINDS[fields[_TYPE]])
    for number, kind in ((_FLOATS, "<f4"), (_DOUBLES, "<f8")):
        yield np.frombuffer(fields.get(number, b""), kind)


def _inner(message: memoryview, wanted: int) -> Iterator[memoryview]:
    return (value for number, value in _fields(message) if number == wanted)


def _fields(message: memoryview) -> Iterator[tuple[int, Any]]:
    """Number and value of every field: a whole number, or bytes."""
    value: int | memoryview
    at = 0
    while at < len(message):
        key, at = _whole_number(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _whole_number(message, at)
        else:
            length, at = _whole_number(message, at) if kind == 2 else (_FIXED[kind], at)
            value = message[at : at + length]
            at += length
        yield key >> 3, value


def _whole_number(message: memoryview, at: int) -> tuple[int, int]:
    """Seven bits a byte, the lowest first; the value, and the place behind it."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        shift, at = shift + 7, at + 1
        if byte < 128:
            return value, at
