"""Command line: python -m export onnx|calibrate|quantize|card|repository|space|web|push."""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # most of TensorFlow's chatter about CPU flags and absent GPUs
os.environ["KERAS_BACKEND"] = "tensorflow"  # tf2onnx reads TensorFlow graphs

from train.packages import TRAINING, needed

with needed("python -m export", TRAINING):
    from deepfake_detect.errors import ModelError
    from export import ExportError, card, push, repository, space, web
    from export import quantize as quantization
    from export.calibrate import add_arguments, recalibrate, remeasure
    from train.calibrate import Asked
    from train.command_line import exit_status
    from train.data import DataError
    from train.recipe import RecipeError


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m export", description="Turn a training run into files that serve.")
    commands = parser.add_subparsers(dest="command", required=True)
    onnx = commands.add_parser("onnx", help="write model.onnx from a training run, checked and measured")
    onnx.add_argument("run", type=Path, metavar="RUN", help="the run's folder, runs/NAME")
    onnx.add_argument("--out", type=Path, help="default: model.onnx in the run's folder")
    onnx.set_defaults(run_command=_onnx)
    calibrate = commands.add_parser("calibrate", help="fit a model file to pictures held out, without training")
    add_arguments(calibrate)
    calibrate.set_defaults(run_command=_calibrate)
    measure = commands.add_parser("measure", help="measure again the figures that a model file quotes")
    measure.add_argument("model", type=Path, metavar="MODEL.onnx")
    measure.add_argument("--data", type=Path, required=True, nargs="+", help="pictures held out, see train fit")
    measure.add_argument("--out", type=Path, help="default: the model file itself")
    measure.set_defaults(run_command=lambda args: remeasure(args.model, args.data, args.out or args.model))
    quantize = commands.add_parser("quantize", help="write an int8 file of a model, if it judges as well")
    quantization.add_arguments(quantize)
    quantize.set_defaults(run_command=quantization.run)
    publish = commands.add_parser("push", help="publish the model repository and the Spaces on the Hugging Face Hub")
    push.add_arguments(publish)
    publish.set_defaults(run_command=push.run)
    model_card = commands.add_parser("card", help="write the model card from the reports on model.onnx")
    card.add_arguments(model_card)
    model_card.set_defaults(run_command=lambda args: card.write_card(args.out, args.name, args.space))
    for name, module, build, text in (
        ("repository", repository, _repository, "make the folder of the model repository on the Hub"),
        ("space", space, _space, "make the folder of the Space on the Hub"),
        ("web", web, _web, "make the folder of the page that judges in the browser"),
    ):
        folder = commands.add_parser(name, help=text)
        module.add_arguments(folder)
        folder.set_defaults(run_command=_folder, build=build)
    args = parser.parse_args(argv)
    return exit_status(
        f"python -m export {args.command}", lambda: _done(args),
        (DataError, ExportError, ModelError, RecipeError), "Interrupted; no file was written.",
    )  # fmt: skip


def _onnx(args: argparse.Namespace) -> None:
    from export.onnx import export_onnx  # here, because TensorFlow takes seconds to load

    export_onnx(args.run, args.out or args.run / "model.onnx")


def _repository(args: argparse.Namespace) -> Path:
    return repository.build_model_repo(args.out, args.name, args.space)


def _space(args: argparse.Namespace) -> Path:
    return space.build_space(args.out, args.name)


def _web(args: argparse.Namespace) -> Path:
    return web.build_web(args.out, args.int8, server=args.server)


def _done(args: argparse.Namespace) -> int:
    args.run_command(args)
    return 0


def _folder(args: argparse.Namespace) -> None:
    folder = args.build(args)
    print(f"{folder}: {sum(path.is_file() for path in folder.rglob('*'))} files")


def _calibrate(args: argparse.Namespace) -> None:
    asked = Asked(args.accuracy, args.false_alarms, args.unseen_accuracy)
    recalibrate(args.model, args.data, args.out or args.model, args.tier, asked)


if __name__ == "__main__":
    sys.exit(main())
