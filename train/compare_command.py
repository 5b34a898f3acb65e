"""The command `python -m train compare`."""

import argparse
import json

from deepfake_detect.atomic_files import write_text
from train.compare import Converter, compare
from train.compare_again import measured_again
from train.compare_report import compare_markdown, draw_comparison
from train.data import DataError
from train.network import WeightsError
from train.recipe import load_recipe
from train.report import check_marks, update_docs


def run(args: argparse.Namespace, to_onnx: Converter) -> int:
    """The command `python -m train compare`; returns its exit status.

    Args:
        args: data, weights, out, model, views and docs, as train/__main__.py declares them.
        to_onnx: `export.onnx.to_onnx`, handed in because training does not import exporting.

    Raises:
        DataError, ModelError: input that cannot be used.
    """
    if args.docs:
        check_marks(args.docs, "compare")
    try:
        recipe = load_recipe("paper")
        if args.shipped_only:
            report = measured_again(recipe, args.data, args.out, args.model, to_onnx)
        elif args.weights is None:
            raise DataError("--weights is needed, but for --shipped-only.")
        else:
            report = compare(recipe, args.data, args.weights, args.out, args.model, args.views, to_onnx)
    except WeightsError as error:
        raise DataError(str(error)) from None
    write_text(args.out / "compare.json", json.dumps(report, indent=2) + "\n")
    write_text(args.out / "compare.md", compare_markdown(report) + "\n")
    draw_comparison(report, args.out / "compare.png")
    if args.docs:
        update_docs(args.docs, "compare", compare_markdown(report))
    print(compare_markdown(report))
    return 0
