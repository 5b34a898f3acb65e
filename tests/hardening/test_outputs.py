"""Commands killed while they write: at any time each of their outputs is the old file or the new one, and whole."""

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from children import finished
from data_sets import make_data
from networks import short_mobilenet
from project import ROOT
from quantizing import LOOSE
from strikes import contents, strike_before_renaming_to, strike_every_write

from deepfake_detect.atomic_files import PARTIAL, write_text
from export import quantize
from export.folders import MANIFEST, REPLACED, manifest, whole_folder
from train import network
from train.report import END, begin_mark

OLD = "what an earlier call has written\n"
MARKS = {"repository": "config.json", "space": "app.py"}  # of folders that stand and fall as a whole
WRITTEN = {
    "train evaluate": ("report.json", "report.md", "roc.png", "reliability.png", "confusion.png", "degradation.png"),
    "train battery": ("battery.json", "battery.md", "battery.png"),
    "train audit": ("audit.json", "audit.md", "balance.png", "spectrum.png", "faces/mean_faces.jpg"),
    "export onnx": ("model.onnx",),
    "export quantize": ("int8.onnx", "quantize.json", "quantize.md"),
    "export calibrate": ("model.onnx",),
    "export card": ("card.md",),
    "export repository": (),
    "export space": (),
}
HALF_WAY = """
import sys
from pathlib import Path
from deepfake_detect.atomic_files import atomic_write
with atomic_write(Path(sys.argv[1])) as partial:
    partial.write_text("theirs")
    print(partial, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def few(portrait, tmp_path_factory) -> Path:
    """A smaller data set than the miniature's own: every command reads it."""
    folder = tmp_path_factory.mktemp("few")
    make_data(portrait, folder, train=15, test=6)
    return folder


@pytest.fixture
def words(exported, run_folder, few, recipe_file) -> dict[str, list]:
    """The options of every command, without those that say where to write."""
    model = ["--model", exported, "--data", few]
    return {"train evaluate": model, "train battery": [*model, "--pictures", 1],
            "train audit": ["--data", few], "export onnx": [run_folder],
            "export quantize": [*model, "--recipe", recipe_file], "export calibrate": [exported, "--data", few],
            "export card": [], "export repository": [], "export space": []}  # fmt: skip


def outputs(command: str, folder: Path) -> list:
    """Fill a folder as an earlier call of a command would have, and return the options that say where to write."""
    for name in WRITTEN[command]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_text(folder / name, OLD)
    kind = command.split()[1]
    if kind in MARKS:
        old_folder(folder / kind, MARKS[kind])
        return ["--out", folder / kind]
    if kind == "evaluate":
        write_text(folder / "page.md", f"{begin_mark('small, test')}\n{OLD}{END}\n")
        return ["--out", folder, "--docs", folder / "page.md"]
    if kind == "quantize":
        return ["--out", folder / "int8.onnx", "--report", folder]
    return ["--out", folder if kind in ("audit", "battery") else folder / WRITTEN[command][0]]


def old_folder(folder: Path, mark: str) -> None:
    """One that may be replaced, see `export.folders.check_free`."""
    folder.mkdir(parents=True)
    write_text(folder / mark, OLD)
    write_text(folder / MANIFEST, json.dumps(manifest(folder)))


def loosen_and_strike(folder: Path, log: Path) -> None:
    network._mobilenet_v2 = short_mobilenet  # what the miniature was trained with
    for name, value in (LOOSE | {"ROUNDS": 3, "TURNS": 2}).items():  # that the miniature may be quantized
        setattr(quantize, name, value)
    strike_every_write(folder, log)


def killed_in_every_write(command: str, words: list, folder: Path) -> tuple[int, int]:
    """Returns how often the command was killed, and how many files it has written in the end."""
    written, log, output = folder / "written", folder / "kills.jsonl", folder / "output.txt"
    options = outputs(command, written)
    before = contents(written)
    status = finished([*command.split(), *words, *options], output, partial(loosen_and_strike, written, log))
    assert status == 0, output.read_text()
    after, kills = contents(written), [json.loads(line) for line in log.read_text().splitlines()]
    assert before.keys() <= after.keys() and all(after[name] != before[name] for name in before)
    assert len(kills) >= len(after) and {sent for sent, _ in kills} <= {signal.SIGXFSZ, signal.SIGKILL}
    for _, found in kills:
        assert before.keys() <= found.keys() <= after.keys()
        assert all(found[name] in (before.get(name), after[name]) for name in found)
    assert not list(written.rglob(f"{PARTIAL}*"))
    return len(kills), len(after)


@pytest.mark.parametrize("verb", ["train", "export"])
def test_a_kill_in_any_write_leaves_old_or_new_files(verb, words, tmp_path, record_property):
    counts = []
    for command in filter(lambda command: command.startswith(verb), WRITTEN):
        (tmp_path / command).mkdir()
        counts.append(killed_in_every_write(command, words[command], tmp_path / command))
    kills, files = map(sum, zip(*counts, strict=True))
    names = ", ".join(command.split()[1] for command in WRITTEN if command.startswith(verb))
    tried = f"`python -m {verb}` {names}: killed {kills} times, in every single write"
    outcome = f"at any time each of the {files} files was the old or the new one, and whole"
    record_property("survives", ["Disk", tried, outcome])


def test_a_folder_killed_between_its_two_renames_comes_back(tmp_path):
    out, output = tmp_path / "space", tmp_path / "output.txt"
    old_folder(out, "app.py")
    before = contents(out)
    for _ in range(2):
        strike = partial(strike_before_renaming_to, out)
        assert finished(["export", "space", "--out", out], output, strike) == -signal.SIGKILL
        assert sorted(path.name.split("-")[0] for path in tmp_path.iterdir() if path != output) == [
            PARTIAL.strip("-"), REPLACED.strip("-")]  # fmt: skip
    with pytest.raises(ZeroDivisionError), whole_folder(out, "app.py"):
        raise ZeroDivisionError
    assert contents(out) == before
    assert sorted(tmp_path.iterdir()) == [output, out]


def test_a_killed_writer_s_file_is_cleared_away_and_a_living_one_s_is_not(tmp_path):
    file = tmp_path / "report.json"
    command = [sys.executable, "-c", HALF_WAY, str(file)]
    killed, living = (
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    )
    partials = [Path(writer.stdout.readline().strip()) for writer in (killed, living)]
    killed.kill()
    killed.wait()
    assert all(partial.exists() for partial in partials)
    write_text(file, "ours")
    assert file.read_text() == "ours" and [partial.exists() for partial in partials] == [False, True]
    living.communicate("")
    assert living.returncode == 0 and file.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [file]
