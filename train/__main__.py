"""Command line: python -m train COMMAND, see `--help`."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # most of TensorFlow's chatter about CPU flags and absent GPUs

from train.packages import TRAINING, needed

with needed("python -m train", TRAINING):
    from deepfake_detect.cli.arguments import add_thorough
    from deepfake_detect.errors import ModelError, PictureError
    from train import audit, battery, blend, collect, crowds, evaluate, evaluate_videos, faces, thorough, video_rule
    from train.command_line import SPLIT_FOLDERS, add_data, add_docs, add_model, add_out, exit_status
    from train.data import DataError
    from train.recipe import RecipeError, load_recipe

RECIPE = "a name in train/recipes/ or a .yaml file"


class Command(NamedTuple):
    """One command. Keras takes seconds to load, so `run` imports it where it is needed, and the others do without."""

    text: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def _add_checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="RUN", help="the run's folder; it may go on meanwhile")
    add_out(parser, "for the checkpoint, some 20 MB")


def _checkpoint(args: argparse.Namespace) -> int:
    from train.checkpoint import write_checkpoint

    done = write_checkpoint(args.folder, args.out)
    print(f"{args.out}: {args.folder} after epoch {done}; `fit --resume-from {args.out}` goes on with it")
    return 0


def _add_fit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", default="paper", help=f"{RECIPE} (default: paper)")
    add_data(parser, SPLIT_FOLDERS)
    parser.add_argument("--weights", default="imagenet", help="of the backbone: imagenet (downloads) or a .weights.h5")
    add_out(parser, "the run's folder, runs/NAME")
    parser.add_argument("--resume-from", type=Path, metavar="DIR", help="a checkpoint of the same network: go on after "
                        "its epochs, with this recipe")  # fmt: skip


def _fit(args: argparse.Namespace) -> int:
    recipe = load_recipe(args.recipe)
    from train.fit import fit
    from train.network import WeightsError

    try:
        fit(recipe, args.data, args.weights, args.out, resume_from=args.resume_from)
    except WeightsError as error:
        raise DataError(str(error)) from None
    return 0


def _add_calibrate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="RUN", help="the run's folder; it may go on meanwhile")
    parser.add_argument("--data", type=Path, nargs="+", metavar="DIR", help="where its data is now, if it has moved")


def _calibrate(args: argparse.Namespace) -> int:
    from train.recalibrate import recalibrate

    recalibrate(args.folder, args.data)
    return 0


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_data(parser, "folders with <split>/<real|fake>/")
    parser.add_argument("--split", default="test", choices=("train", "val", "test", "cross"))
    add_thorough(parser)
    add_out(parser, "write report.json, report.md and pictures there", required=False)
    parser.add_argument("--check", type=Path, metavar="REPORT.json", help="fail where this report says otherwise")
    add_docs(parser)


def _evaluate(args: argparse.Namespace) -> int:
    return evaluate.run(args.model, args.data, args.split, args.out, args.check, args.docs, args.thorough)


def _add_crowds(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_data(parser, "folders with splits called val and cross")
    add_out(parser, "for crowds.json, crowds.md, crowds.png")
    add_docs(parser)


def _crowds(args: argparse.Namespace) -> int:
    return crowds.run(args.model, args.data, args.out, args.docs)


def _add_thorough(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_data(parser, "folders with splits called val and cross")
    add_out(parser, "for thorough.json and thorough.md")


def _thorough(args: argparse.Namespace) -> int:
    return thorough.run(args.model, args.data, args.out)


def _add_compare(parser: argparse.ArgumentParser) -> None:
    add_data(parser, "folders with train, val and test splits")
    parser.add_argument("--weights", metavar="DIR", help="folder with <backbone>_imagenet_notop.weights"
                        ".h5 of mobilenet_v2, vgg16, vgg19, resnet50; or imagenet (downloads)")  # fmt: skip
    add_out(parser, "an unfinished comparison there goes on")
    add_model(parser, "the shipped ONNX file, judged as it is")
    parser.add_argument("--views", type=int, default=2, metavar="K", help="augmented views of each training picture "
                        "that the frozen VGG and ResNet backbones see (default: 2)")  # fmt: skip
    add_docs(parser)
    parser.add_argument("--shipped-only", action="store_true", help="only measure the shipped model again, for the "
                        "comparison in OUT, which needs no --weights")  # fmt: skip


def _compare(args: argparse.Namespace) -> int:
    if args.to_onnx is None:  # train/ does not know export/: a process of its own brings the two together
        return subprocess.call([sys.executable, "-m", "export.compare", *sys.argv[1:]])
    from train.compare_command import run

    return run(args, args.to_onnx)


def _add_ablate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", default="shipped", help=RECIPE)
    parser.add_argument("--epochs", type=int, default=3, help="of every run (default: 3)")
    parser.add_argument("--views", type=int, metavar="N", help="pictures an epoch (default: as the recipe says)")
    add_data(parser, "folders with a manifest.csv and a split called cross")
    parser.add_argument("--weights", default="imagenet", help="see fit")
    add_out(parser, "for the runs and the table")
    add_docs(parser)


def _ablate(args: argparse.Namespace) -> int:
    from train.ablation import run

    return run(load_recipe(args.recipe), args.epochs, args.views, args.data, args.weights, args.out, args.docs)


COMMANDS = {
    "collect": Command(
        "take the pictures or clips of a list out of public git repositories", collect.add_arguments, collect.run
    ),
    "audit": Command("what the pictures' files give away of their labels", audit.add_arguments, audit.run),
    "fit": Command("train a recipe's network; go on with a run that was cut off", _add_fit, _fit),
    "calibrate": Command("choose a run's looks and calibrate it again, on val", _add_calibrate, _calibrate),
    "checkpoint": Command("what of a run is needed to go on with it elsewhere", _add_checkpoint, _checkpoint),
    "evaluate": Command("measure a model file on one split, the way it is served", _add_evaluate, _evaluate),
    "evaluate-videos": Command(
        "measure a model file on clips, judged whole as they are served", evaluate_videos.add_arguments,
        evaluate_videos.run,
    ),
    "video-rule": Command(
        "fit how frames make one verdict, and write it into a model file", video_rule.add_arguments, video_rule.run
    ),
    "battery": Command("how far small changes of a picture move its verdict", battery.add_arguments, battery.run),
    "crowds": Command("what becomes of pictures of many faces, by several rules", _add_crowds, _crowds),
    "thorough": Command("whether verdicts checked by small changes are worth their time", _add_thorough, _thorough),
    "compare": Command("the paper's network and its rivals beside the shipped model", _add_compare, _compare),
    "ablate": Command("short runs of a recipe, each with one part left out or changed", _add_ablate, _ablate),
    "blend": Command("make a fake: a face swap, or a self-blend without --donor", blend.add_arguments, blend.run),
    "faces": Command(
        "measure the face finder: missed and false faces, verdicts that changed", faces.add_arguments, faces.run
    ),
}  # fmt: skip


def main(argv: list[str] | None = None, to_onnx: Callable | None = None) -> int:
    """The command line; `to_onnx`, see `train.compare_command.run`, is given by export/compare.py alone."""
    parser = argparse.ArgumentParser(prog="python -m train", description="Train, measure and illustrate the detector.")
    subparsers = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        command.add_arguments(subparsers.add_parser(name, help=command.text))
    args = parser.parse_args(argv)
    args.to_onnx = to_onnx
    return exit_status(
        f"python -m train {args.command}", lambda: COMMANDS[args.command].run(args),
        (DataError, RecipeError, ModelError, PictureError),
        "Interrupted. The same command goes on after the last finished epoch.",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
