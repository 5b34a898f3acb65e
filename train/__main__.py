"""Command line: python -m train COMMAND, see `--help`."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # most of TensorFlow's chatter about CPU flags and absent GPUs

from deepfake_detect.cli.arguments import add_thorough
from deepfake_detect.detector import default_model
from deepfake_detect.errors import ModelError, PictureError
from train.data import DataError
from train.recipe import RecipeError, load_recipe


def main(argv: list[str] | None = None, to_onnx: Callable | None = None) -> int:
    """The command line; `to_onnx`, see `train.compare_command.run`, is given by export/compare.py alone."""
    parser = argparse.ArgumentParser(prog="python -m train", description="Train, measure and illustrate the detector.")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_collect(commands)
    _add_audit(commands)
    _add_fit(commands)
    _add_calibrate(commands)
    _add_checkpoint(commands)
    _add_evaluate(commands)
    _add_videos(commands)
    _add_battery(commands)
    _add_crowds(commands)
    _add_thorough(commands)
    _add_compare(commands)
    _add_ablate(commands)
    _add_blend(commands)
    _add_faces(commands)
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


def _add_collect(commands) -> None:
    from train import collect

    parser = commands.add_parser("collect", help="take the pictures or clips of a list out of public git repositories")
    collect.add_arguments(parser)
    parser.set_defaults(run=collect.run)


def _add_audit(commands) -> None:
    from train import audit

    parser = commands.add_parser("audit", help="what the pictures' files give away of their labels")
    audit.add_arguments(parser)
    parser.set_defaults(run=audit.run)


def _add_data(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--data", type=Path, required=True, nargs="+", metavar="DIR", help=text)


def _add_checkpoint(commands) -> None:
    parser = commands.add_parser("checkpoint", help="what of a run is needed to go on with it elsewhere")
    parser.add_argument("folder", type=Path, metavar="RUN", help="the run's folder; it may go on meanwhile")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the checkpoint, some 20 MB")
    parser.set_defaults(run=_checkpoint)


def _checkpoint(args: argparse.Namespace) -> int:
    from train.checkpoint import write_checkpoint  # here, because Keras takes seconds to load

    done = write_checkpoint(args.folder, args.out)
    print(f"{args.out}: {args.folder} after epoch {done}; `fit --resume-from {args.out}` goes on with it")
    return 0


def _add_fit(commands) -> None:
    parser = commands.add_parser("fit", help="train a recipe's network; go on with a run that was cut off")
    parser.add_argument("--recipe", default="paper", help="a name in train/recipes/ or a .yaml file (default: paper)")
    _add_data(parser, "folders with <split>/<real|fake>/ or <real|fake>/, which make one data set")
    parser.add_argument("--weights", default="imagenet", help="of the backbone: imagenet (downloads) or a .weights.h5")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder, runs/NAME")
    parser.add_argument("--resume-from", type=Path, metavar="DIR", help="a checkpoint of the same network: go on after "
                        "its epochs, with this recipe")  # fmt: skip
    parser.set_defaults(run=_fit)


def _fit(args: argparse.Namespace) -> int:
    recipe = load_recipe(args.recipe)
    from train.fit import fit  # here, because Keras takes seconds to load
    from train.network import WeightsError

    try:
        fit(recipe, args.data, args.weights, args.out, resume_from=args.resume_from)
    except WeightsError as error:
        raise DataError(str(error)) from None
    return 0


def _add_calibrate(commands) -> None:
    parser = commands.add_parser("calibrate", help="choose a run's looks and calibrate it again, on val")
    parser.add_argument("folder", type=Path, metavar="RUN", help="the run's folder; it may go on meanwhile")
    parser.add_argument("--data", type=Path, nargs="+", metavar="DIR", help="where its data is now, if it has moved")
    parser.set_defaults(run=_calibrate)


def _calibrate(args: argparse.Namespace) -> int:
    from train.recalibrate import recalibrate  # here, because Keras takes seconds to load

    recalibrate(args.folder, args.data)
    return 0


def _add_evaluate(commands) -> None:
    parser = commands.add_parser("evaluate", help="measure a model file on one split, the way it is served")
    parser.add_argument("--model", type=Path, default=default_model(), help="an ONNX file (default: model.onnx)")
    _add_data(parser, "folders with <split>/<real|fake>/")
    parser.add_argument("--split", default="test", choices=("train", "val", "test", "cross"))
    add_thorough(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="write report.json, report.md and pictures there")
    parser.add_argument("--check", type=Path, metavar="REPORT.json", help="fail where this report says otherwise")
    parser.add_argument(
        "--docs",
        type=Path,
        metavar="FILE",
        help="put the tables between their marks in it",
    )
    parser.set_defaults(run=_evaluate)


def _evaluate(args: argparse.Namespace) -> int:
    from train.evaluate import run

    return run(args.model, args.data, args.split, args.out, args.check, args.docs, args.thorough)


def _add_videos(commands) -> None:
    from train import evaluate_videos, video_rule

    parser = commands.add_parser(
        "evaluate-videos", help="measure a model file on clips, judged whole as they are served"
    )
    evaluate_videos.add_arguments(parser)
    parser.set_defaults(run=evaluate_videos.run)
    parser = commands.add_parser("video-rule", help="fit how frames make one verdict, and write it into a model file")
    video_rule.add_arguments(parser)
    parser.set_defaults(run=video_rule.run)


def _add_battery(commands) -> None:
    from train import battery

    parser = commands.add_parser("battery", help="how far small changes of a picture move its verdict")
    battery.add_arguments(parser)
    parser.set_defaults(run=battery.run)


def _add_crowds(commands) -> None:
    parser = commands.add_parser("crowds", help="what becomes of pictures of many faces, by several rules")
    parser.add_argument("--model", type=Path, default=default_model(), help="an ONNX file (default: model.onnx)")
    _add_data(parser, "folders with splits called val and cross")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for crowds.json, crowds.md, crowds.png")
    parser.add_argument("--docs", type=Path, metavar="FILE", help="put the table between its marks in it")
    parser.set_defaults(run=_crowds)


def _crowds(args: argparse.Namespace) -> int:
    from train.crowds import run

    return run(args.model, args.data, args.out, args.docs)


def _add_thorough(commands) -> None:
    parser = commands.add_parser("thorough", help="whether verdicts checked by small changes are worth their time")
    parser.add_argument("--model", type=Path, default=default_model(), help="an ONNX file (default: model.onnx)")
    _add_data(parser, "folders with splits called val and cross")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for thorough.json and thorough.md")
    parser.set_defaults(run=_thorough)


def _thorough(args: argparse.Namespace) -> int:
    from train.thorough import run

    return run(args.model, args.data, args.out)


def _add_compare(commands) -> None:
    parser = commands.add_parser("compare", help="the paper's network and its rivals beside the shipped model")
    _add_data(parser, "folders with train, val and test splits")
    parser.add_argument("--weights", metavar="DIR", help="folder with <backbone>_imagenet_notop.weights"
                        ".h5 of mobilenet_v2, vgg16, vgg19, resnet50; or imagenet (downloads)")  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="an unfinished comparison there goes on")
    parser.add_argument("--model", type=Path, default=default_model(), help="the shipped ONNX file, judged as it is")
    parser.add_argument("--views", type=int, default=2, metavar="K", help="augmented views of each training picture "
                        "that the frozen VGG and ResNet backbones see (default: 2)")  # fmt: skip
    parser.add_argument("--docs", type=Path, metavar="FILE", help="put the table between its marks in it")
    parser.add_argument("--shipped-only", action="store_true", help="only measure the shipped model again, for the "
                        "comparison in OUT, which needs no --weights")  # fmt: skip
    parser.set_defaults(run=_compare)


def _compare(args: argparse.Namespace) -> int:
    if args.to_onnx is None:  # train/ does not know export/: a process of its own brings the two together
        return subprocess.call([sys.executable, "-m", "export.compare", *sys.argv[1:]])
    from train.compare_command import run

    return run(args, args.to_onnx)


def _add_ablate(commands) -> None:
    parser = commands.add_parser("ablate", help="short runs of a recipe, each with one part left out or changed")
    parser.add_argument("--recipe", default="shipped", help="a name in train/recipes/ or a .yaml file")
    parser.add_argument("--epochs", type=int, default=3, help="of every run (default: 3)")
    _add_data(parser, "folders with a manifest.csv and a split called cross")
    parser.add_argument("--weights", default="imagenet", help="see fit")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the runs and the table")
    parser.add_argument("--docs", type=Path, metavar="FILE", help="put the table between its marks in it")
    parser.set_defaults(run=_ablate)


def _ablate(args: argparse.Namespace) -> int:
    from train.ablation import run  # here, because Keras takes seconds to load

    return run(load_recipe(args.recipe), args.epochs, args.data, args.weights, args.out, args.docs)


def _add_blend(commands) -> None:
    from train import blend

    parser = commands.add_parser("blend", help="make a fake: a face swap, or a self-blend without --donor")
    blend.add_arguments(parser)
    parser.set_defaults(run=blend.run)


def _add_faces(commands) -> None:
    from train import faces

    parser = commands.add_parser("faces", help="measure the face finder: missed and false faces, verdicts that changed")
    faces.add_arguments(parser)
    parser.set_defaults(run=faces.run)


if __name__ == "__main__":
    sys.exit(main())
