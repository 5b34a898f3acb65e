"""A training that is killed again and again, at random moments and while it saves, or whose disk is full."""

import math
import os
import random
import resource
import shutil
import signal
import sys
from fnmatch import fnmatch
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

import pytest
import yaml
from children import finished, start
from commands import fit_command
from data_sets import make_data
from networks import same_weights, short_mobilenet

from deepfake_detect.atomic_files import PARTIAL
from train import fit, network
from train.recipe import load_recipe

SAVED = ("train.bin", "epoch_*.weights.h5", "best.weights.h5", "curves.png", "average_*.npz")
FEW = SAVED[:2]  # where no figures are written
ROOM = 50_000  # bytes in a file, on a full disk: less than the faces take, and less than the weights do


class Training(NamedTuple):
    """An undisturbed one."""

    saved: tuple[str, ...]  # what is being written when it is to be killed
    words: partial  # its command, but for the folder
    folder: Path
    seconds: float

    @property
    def kills(self) -> int:
        """In the middle of each file, and at a random moment after each."""
        return 2 * len(self.saved)

    @property
    def epochs(self) -> int:
        return self.kills + (5 if self.saved == SAVED else 2)

    def is_matched_by(self, other: Path) -> bool:
        """Whether the folder of another one holds the same files, with the same weights and figures in them."""
        names, their_names = ({path.relative_to(run) for path in run.rglob("*")} for run in (self.folder, other))
        weights = ("best.weights.h5", f"state/epoch_{self.epochs:04d}.weights.h5")
        figures = ("run.json", "history.csv", "curves.png", "calibration.json")
        return (
            names == their_names
            and all(same_weights(self.folder / name, other / name) for name in weights)
            and all((self.folder / name).read_bytes() == (other / name).read_bytes() for name in figures)
        )


@pytest.fixture(scope="module")
def undisturbed(portrait, tmp_path_factory, all_cases) -> Training:
    """A training of the shipped one's kind: its size grows, layers are kept, weights are averaged."""
    folder, data = tmp_path_factory.mktemp("undisturbed"), tmp_path_factory.mktemp("data")
    make_data(portrait, data, **({} if all_cases else {"train": 10, "test": 1}))  # of which 8 and 2 are left
    planned = Training(SAVED if all_cases else FEW, partial(int), folder, 0)
    values, grown = load_recipe("first").model_dump(), planned.epochs // 2
    values |= {"size": 64, "sizes": {0: 32, grown: 64}, "first_trained_layer": {grown: "expanded_conv_depthwise"},
               "average": 0.9, "batch_size": 16 if all_cases else 8, "epochs": planned.epochs,
               "learning_rate": {0: 1e-3}, "decided_accuracy": 0.8}  # fmt: skip
    recipe, weights, output = folder / "growing.yaml", folder / "shortest.weights.h5", folder / "output.txt"
    recipe.write_text(yaml.safe_dump(values))
    short_mobilenet(32, None).save_weights(weights)
    words = partial(fit_command, data, recipe, weights)
    assert finished(["train"], output) == 2  # the first process of all, which waits until Keras is loaded
    began = monotonic()
    assert finished(words(folder / "run"), output, shorten) == 0, output.read_text()
    return planned._replace(words=words, folder=folder / "run", seconds=monotonic() - began)


def shorten() -> None:
    network._mobilenet_v2 = short_mobilenet


def shorten_and_wait(file: str | None, epochs: int) -> None:
    """Of a training that is to be killed, however late: before it gives such a file its name, and after so many
    epochs, it waits."""
    shorten()
    save, waits_for = fit._save_epoch, f"{PARTIAL}{os.getpid()}-{file}"

    def save_and_wait(run, model, history, average):
        save(run, model, history, average)
        if len(history) == epochs:
            signal.pause()

    def wait(event: str, details: tuple) -> None:
        if event == "os.rename" and fnmatch(Path(details[0]).name, waits_for):
            signal.pause()

    fit._save_epoch = save_and_wait
    sys.addaudithook(wait)


def shorten_on_a_full_disk() -> None:
    shorten()
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))


def killed(process: ForkServerProcess, out: Path, moment: float, file: str | None, epochs: int) -> bool:
    """Send SIGKILL after some seconds or, if a file is given, while that is being written; in any case where
    `shorten_and_wait` waits. Returns whether a file was left half written."""
    end = monotonic() + moment
    while not (out / "state" / f"epoch_{epochs:04d}.weights.h5").exists():
        if any(out.rglob(f"{PARTIAL}{process.pid}-{file}")) if file else monotonic() > end:
            break
        assert process.is_alive(), "the training ended before it could be killed"
        sleep(0.0005)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL and not (out / "calibration.json").exists()
    return any(out.rglob(f"{PARTIAL}{process.pid}-*"))


def test_a_training_killed_ten_times_ends_with_the_same_weights(undisturbed, tmp_path, record_property):
    out, output, rng = tmp_path / "killed", tmp_path / "output.txt", random.Random(0)
    torn = 0
    for kill in range(undisturbed.kills):
        file = None if kill % 2 else undisturbed.saved[kill // 2]
        moment = rng.uniform(0, undisturbed.seconds / 2.5)  # half of which it takes to come to the first epoch
        if kill == undisturbed.kills - 3:
            moment = math.inf  # one at least gets through some epochs, however slow the machine is
        epochs = undisturbed.epochs - undisturbed.kills + kill
        process = start(undisturbed.words(out), output, partial(shorten_and_wait, file, epochs))
        torn += killed(process, out, moment, file, epochs)
    assert torn > 0
    assert finished(undisturbed.words(out), output, shorten) == 0, output.read_text()
    assert "going on after epoch" in output.read_text()
    assert undisturbed.is_matched_by(out)
    tried = f"a training killed {undisturbed.kills} times, {torn} of them while it wrote a file"
    outcome = f"after {undisturbed.epochs} epochs the weights of an undisturbed one, to the last bit; nothing left over"
    record_property("survives", ["Training", tried, outcome])


def test_a_training_on_a_full_disk_says_so_and_goes_on_later(undisturbed, tmp_path, record_property):
    out, output = tmp_path / "full", tmp_path / "output.txt"
    for file in ("crops/train.bin", "best.weights.h5"):
        assert finished(undisturbed.words(out), output, shorten_on_a_full_disk) == 2
        text = output.read_text()
        assert (
            text.splitlines()[-1] == f"python -m train fit: {out / file}: File too large." and "Traceback" not in text
        )
        assert not (out / file).exists() and not list(out.rglob(f"{PARTIAL}*"))
        shutil.copytree(undisturbed.folder / "crops", out / "crops", dirs_exist_ok=True)
    assert finished(undisturbed.words(out), output, shorten) == 0, output.read_text()
    assert undisturbed.is_matched_by(out)
    tried = "a training whose disk is full, first for the faces and then for the weights"
    outcome = "each time one sentence with the name of the file; with room, it went on to the same weights"
    record_property("survives", ["Disk", tried, outcome])
