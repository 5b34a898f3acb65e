"""Command line: python -m export onnx|calibrate|quantize."""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # most of TensorFlow's chatter about CPU flags and absent GPUs
os.environ["KERAS_BACKEND"] = "tensorflow"  # tf2onnx reads TensorFlow graphs

from detect.model import ModelError
from export import ExportError
from export import quantize as quantization
from export.calibrate import add_arguments, recalibrate
from train.data import DataError
from train.recipe import RecipeError


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m export", description="Turn a training run into files that serve.")
    commands = parser.add_subparsers(dest="command", required=True)
    onnx = commands.add_parser("onnx", help="write model.onnx from a training run, checked and measured")
    onnx.add_argument("run", type=Path, metavar="RUN", help="the run's folder, runs/NAME")
    onnx.add_argument("--out", type=Path, help="default: model.onnx in the run's folder")
    onnx.set_defaults(run_command=_onnx)
    calibrate = commands.add_parser("calibrate", help="fit a model file's temperature and unsure band to pictures")
    add_arguments(calibrate)
    calibrate.set_defaults(run_command=_calibrate)
    quantize = commands.add_parser("quantize", help="write an int8 file of a model, if it judges as well")
    quantization.add_arguments(quantize)
    quantize.set_defaults(run_command=quantization.run)
    args = parser.parse_args(argv)
    try:
        args.run_command(args)
    except (DataError, ExportError, ModelError, RecipeError) as error:
        sentence = str(error)
    except OSError as error:
        sentence = f"{error.filename or 'A file'}: {error.strerror or error}."
    except KeyboardInterrupt:
        print("\nInterrupted; nothing was written.", file=sys.stderr)
        return 130
    else:
        return 0
    print(f"python -m export {args.command}: {sentence}", file=sys.stderr)
    return 2


def _onnx(args: argparse.Namespace) -> None:
    from export.onnx import export_onnx  # here, because TensorFlow takes seconds to load

    export_onnx(args.run, args.out or args.run / "model.onnx")


def _calibrate(args: argparse.Namespace) -> None:
    recalibrate(args.model, args.data, args.out or args.model, args.tier, args.accuracy)


if __name__ == "__main__":
    sys.exit(main())
