"""Codes beside sentences: every code in the source is listed, and the other way round."""

import ast
import pickle

import pytest
from project import ROOT

from deepfake_detect import Detector
from deepfake_detect.errors import CODES, DetectError, PictureError
from deepfake_detect.report.records import record_of
from deepfake_detect.verdict import REASONS, Reason, Verdict
from scripts.write_codes import DOCS, codes_text

ERRORS = {cls.__name__ for cls in DetectError.__subclasses__()} | {"NotTriedError"}


def _used(names: set[str]) -> set[str]:
    """String constants that are the first argument of calls to these names, in the package and the page, and module
    constants that are."""
    used = set()
    for file in sorted([*ROOT.joinpath("deepfake_detect").rglob("*.py"), *ROOT.joinpath("page").rglob("*.py")]):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        constants = {}
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple | ast.Name):
                targets = getattr(node.targets[0], "elts", [node.targets[0]])
                values = getattr(node.value, "elts", [node.value])
                constants |= {
                    target.id: value.value
                    for target, value in zip(targets, values, strict=False)
                    if isinstance(target, ast.Name) and isinstance(value, ast.Constant)
                }
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in names:
                code = call.args[0]
                for node in ast.walk(code):
                    if isinstance(node, ast.Constant) and isinstance(node.value, str):
                        used.add(node.value)
                    elif isinstance(node, ast.Name) and node.id in constants:
                        used.add(constants[node.id])
    return used


def test_every_error_code_is_listed_and_used():
    assert _used(ERRORS) == set(CODES)


def test_every_reason_code_is_listed_and_used():
    assert _used({"Reason"}) == set(REASONS)


def test_the_page_of_codes_is_the_one_that_the_source_gives():
    assert DOCS.joinpath("codes.md").read_text(encoding="utf-8") == codes_text(), "python -m scripts.write_codes"


def test_an_error_keeps_code_and_sentence_on_its_way_to_another_process():
    error = pickle.loads(pickle.dumps(PictureError("damaged", "It is damaged.")))
    assert (error.code, str(error), isinstance(error, ValueError)) == ("damaged", "It is damaged.", True)


def test_records_carry_codes_beside_sentences(tmp_path):
    verdict = Verdict("unsure", 0.5, 0.5, (Reason("uncertain", "Who knows."), Reason("blurred", "A blur.")), ())
    record = record_of("a.jpg", verdict, 0.1)
    assert record["reasons"] == ["Who knows.", "A blur."]
    assert record["reason_codes"] == ["uncertain", "blurred"]
    assert record_of("a.jpg", PictureError("damaged", "Broken."), 0) == {
        "path": "a.jpg", "error": "Broken.", "error_code": "damaged",
    }  # fmt: skip


def test_python_gets_the_code_of_a_picture_that_is_not_there(detector: Detector, tmp_path):
    with pytest.raises(PictureError) as caught:
        detector.predict([tmp_path / "none.jpg"])
    assert caught.value.code == "not_found"
