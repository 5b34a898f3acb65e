"""Command line: python -m train audit|fit|evaluate|compare|ablate|blend."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # most of TensorFlow's chatter about CPU flags and absent GPUs

from detect.detector import default_model
from detect.model import ModelError
from detect.picture import PictureError
from train.data import DataError
from train.recipe import RecipeError, load_recipe


def main(argv: list[str] | None = None, to_onnx: Callable | None = None) -> int:
    """The command line; `to_onnx`, see `train.compare.run`, is given by export/compare.py alone."""
    parser = argparse.ArgumentParser(prog="python -m train", description="Train, measure and illustrate the detector.")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_audit(commands)
    _add_fit(commands)
    _add_evaluate(commands)
    _add_compare(commands)
    _add_ablate(commands)
    _add_blend(commands)
    args = parser.parse_args(argv)
    args.to_onnx = to_onnx
    try:
        return args.run(args)
    except (DataError, RecipeError, ModelError, PictureError) as error:
        sentence = str(error)
    except OSError as error:
        sentence = f"{error.filename or 'A file'}: {error.strerror or error}."
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on after the last finished epoch.", file=sys.stderr)
        return 130
    print(f"python -m train {args.command}: {sentence}", file=sys.stderr)
    return 2


def _add_audit(commands) -> None:
    from train import audit

    parser = commands.add_parser("audit", help="what the pictures' files give away of their labels")
    audit.add_arguments(parser)
    parser.set_defaults(run=audit.run)


def _add_fit(commands) -> None:
    parser = commands.add_parser("fit", help="train a recipe's network; go on with a run that was cut off")
    parser.add_argument("--recipe", default="paper", help="a name in train/recipes/ or a .yaml file (default: paper)")
    parser.add_argument("--data", type=Path, required=True, help="folder with <split>/<real|fake>/ or <real|fake>/")
    parser.add_argument("--weights", default="imagenet", help="of the backbone: imagenet (downloads) or a .weights.h5")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder, runs/NAME")
    parser.set_defaults(run=_fit)


def _fit(args: argparse.Namespace) -> int:
    recipe = load_recipe(args.recipe)
    from train.fit import fit  # here, because Keras takes seconds to load
    from train.network import WeightsError

    try:
        fit(recipe, args.data, args.weights, args.out)
    except WeightsError as error:
        raise DataError(str(error)) from None
    return 0


def _add_evaluate(commands) -> None:
    parser = commands.add_parser("evaluate", help="measure a model file on one split, the way it is served")
    parser.add_argument("--model", type=Path, default=default_model(), help="an ONNX file (default: model.onnx)")
    parser.add_argument("--data", type=Path, required=True, help="folder with <split>/<real|fake>/")
    parser.add_argument("--split", default="test", choices=("train", "val", "test", "cross"))
    parser.add_argument("--out", type=Path, metavar="DIR", help="write report.json, report.md and pictures there")
    parser.add_argument("--check", type=Path, metavar="REPORT.json", help="fail where this report says otherwise")
    parser.add_argument("--readme", type=Path, metavar="README.md", help="put the report's tables between its marks")
    parser.set_defaults(run=_evaluate)


def _evaluate(args: argparse.Namespace) -> int:
    from train.evaluate import run

    return run(args.model, args.data, args.split, args.out, args.check, args.readme)


def _add_compare(commands) -> None:
    parser = commands.add_parser("compare", help="the paper's network and its rivals beside the shipped model")
    parser.add_argument("--data", type=Path, required=True, help="folder with train, val and test splits")
    parser.add_argument("--weights", required=True, metavar="DIR", help="folder with <backbone>_imagenet_notop.weights"
                        ".h5 of mobilenet_v2, vgg16, vgg19, resnet50; or imagenet (downloads)")  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="an unfinished comparison there goes on")
    parser.add_argument("--model", type=Path, default=default_model(), help="the shipped ONNX file, judged as it is")
    parser.add_argument("--views", type=int, default=2, metavar="K", help="augmented views of each training picture "
                        "that the frozen VGG and ResNet backbones see (default: 2)")  # fmt: skip
    parser.add_argument("--readme", type=Path, metavar="README.md", help="put the table between its marks")
    parser.set_defaults(run=_compare)


def _compare(args: argparse.Namespace) -> int:
    if args.to_onnx is None:  # train/ does not know export/: a process of its own brings the two together
        return subprocess.call([sys.executable, "-m", "export.compare", *sys.argv[1:]])
    from train.compare import run

    return run(args, args.to_onnx)


def _add_ablate(commands) -> None:
    parser = commands.add_parser("ablate", help="short runs of a recipe, each with one part left out or changed")
    parser.add_argument("--recipe", default="shipped", help="a name in train/recipes/ or a .yaml file")
    parser.add_argument("--epochs", type=int, default=3, help="of every run (default: 3)")
    parser.add_argument("--data", type=Path, required=True, help="folder with a manifest.csv and a split called cross")
    parser.add_argument("--weights", default="imagenet", help="see fit")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the runs and the table")
    parser.add_argument("--readme", type=Path, metavar="README.md", help="put the table between its marks")
    parser.set_defaults(run=_ablate)


def _ablate(args: argparse.Namespace) -> int:
    from train.ablation import run  # here, because Keras takes seconds to load

    return run(load_recipe(args.recipe), args.epochs, args.data, args.weights, args.out, args.readme)


def _add_blend(commands) -> None:
    from train import blend

    parser = commands.add_parser("blend", help="make a fake: a face swap, or a self-blend without --donor")
    blend.add_arguments(parser)
    parser.set_defaults(run=blend.run)


if __name__ == "__main__":
    sys.exit(main())
