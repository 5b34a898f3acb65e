"""Pictures out of git repositories, as a list names them."""

import csv
import gzip
import io
import subprocess

import pytest
from commands import here
from PIL import Image
from project import ROOT

from deepfake_detect.model.onnx_model import LABELS
from deepfake_detect.report.evaluation_texts import SOURCES
from export.sources import TERMS
from train.clips import read_clips
from train.collect import LISTED, read_list
from train.data import read_samples
from train.kinds import kind_and_part


def git(folder, *words) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", "-C", folder, *identity, *words], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def clone(tmp_path):
    """A repository of four pictures, one of which was deleted later: it is found in the history all the same."""
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "-q")
    for number in range(4):
        Image.new("RGB", (40, 40), (60 * number, 9, 9)).save(folder / f"{number}.jpg")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "pictures")
    git(folder, "rm", "-q", "3.jpg")
    git(folder, "commit", "-qm", "less")
    return folder


def rows(clone) -> list[dict]:
    blobs = [git(clone, "rev-parse", f"HEAD~1:{number}.jpg") for number in range(4)]
    return [
        dict(zip(LISTED, ("a/b", f"{n}.jpg", blob, ("real", "fake")[n % 2], "toy", "", f"g{n}"), strict=True))
        for n, blob in enumerate(blobs)
    ]


def write_list(file, listed) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(listed[0]))
    writer.writeheader()
    writer.writerows(listed)
    file.write_bytes(gzip.compress(text.getvalue().encode()))


def test_the_listed_pictures_become_a_data_folder(clone, tmp_path):
    listed, out = tmp_path / "list.csv.gz", tmp_path / "out"
    write_list(listed, rows(clone))
    done = here("train", "collect", listed, "--from", f"a/b={clone}", "--out", out)
    assert done.returncode == 0 and "4 pictures in" in done.stdout, done.stderr
    samples = read_samples(out, needed=("train",))
    assert {(s.label, s.source, s.path.name) for s in samples} == {
        (label, "toy", f"toy-more_0000{number}.jpg") for label in (0, 1) for number in (0, 1)
    }
    assert (out / "train/fake/toy-more_00000.jpg").read_bytes() == (clone / "1.jpg").read_bytes()
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert here("train", "collect", listed, "--from", f"a/b={clone / '.git'}", "--out", out).returncode == 0
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}


def clip_rows(clone) -> list[dict]:
    """Of the same objects, as if they were clips of two splits."""
    listed = []
    for n, row in enumerate(rows(clone)):
        of_clip = {"path": f"{n}.mp4", "method": ("original", "swap")[n % 2], "compression": "c23"}
        del row["generator"]
        listed.append(row | of_clip | {"split": ("val", "test")[n // 2]})
    return listed


def test_listed_clips_become_a_folder_of_clips(clone, tmp_path):
    listed, out = tmp_path / "list.csv.gz", tmp_path / "out"
    write_list(listed, clip_rows(clone))
    done = here("train", "collect", listed, "--from", f"a/b={clone}", "--out", out)
    assert done.returncode == 0 and "4 clips in" in done.stdout, done.stderr
    found = read_clips(out).chosen
    assert [(c.name, c.label, c.split, c.method, c.compression, c.group) for c in found] == [
        (f"{split}/{label}/toy_000.mp4", number % 2, split, ("original", "swap")[number % 2], "c23", f"g{number}")
        for number, split, label in ((3, "test", "fake"), (2, "test", "real"), (1, "val", "fake"), (0, "val", "real"))
    ]
    assert (
        found[0].path.read_bytes()
        == subprocess.run(["git", "-C", clone, "show", "HEAD~1:3.jpg"], capture_output=True, check=True).stdout
    )
    write_list(listed, [row | {"split": "later"} for row in clip_rows(clone)])
    refused = here("train", "collect", listed, "--from", f"a/b={clone}", "--out", out)
    assert refused.returncode == 2 and "the split must be one of" in refused.stderr


def test_the_lists_that_come_with_the_project_can_be_read():
    for file in sorted((ROOT / "train" / "lists").glob("*.csv.gz")):
        assert sum(map(len, read_list(file).values())) > 100, file
    groups = {split: set() for split in ("train", "val", "test", "cross")}
    for row in (row for of in read_list(ROOT / "train" / "lists" / "clips.csv.gz").values() for row in of):
        groups[row["split"]].add(row["group"])
    assert all(groups[a].isdisjoint(groups[b]) for a in groups for b in groups if a != b)


def test_every_listed_source_of_pictures_has_its_kind_its_name_and_its_terms():
    for file in sorted((ROOT / "train" / "lists").glob("*_faces.csv.gz")):
        for row in (row for of in read_list(file).values() for row in of):
            assert kind_and_part(row["source"], LABELS.index(row["label"]), row["path"])[0], row
            assert row["source"] in TERMS and row["source"] in SOURCES, row


def test_what_a_copy_lacks_is_counted_and_told_by_the_status(clone, tmp_path):
    listed, out = tmp_path / "list.csv.gz", tmp_path / "out"
    write_list(listed, [*rows(clone)[:3], rows(clone)[3] | {"blob": "0" * 40}, rows(clone)[0] | {"repo": "c/d"}])
    done = here("train", "collect", listed, "--from", f"a/b={clone}", "--out", out)
    assert done.returncode == 1 and "1 of 4 pictures are not in that copy" in done.stderr
    assert "left out, no git directory given: c/d (1 pictures)" in done.stdout
    assert len(list(out.rglob("*.jpg"))) == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("a/b", "NAME=GIT_DIR"),
        ("x/y=.", "lists a/b"),
        ("a/b=nowhere", "not the git directory"),
        ("a/b=EMPTY", "git cannot read"),
    ],
)
def test_bad_usage_ends_in_one_sentence_and_writes_nothing(clone, tmp_path, given, words):
    listed, out = tmp_path / "list.csv.gz", tmp_path / "out"
    write_list(listed, rows(clone))
    (tmp_path / "empty" / "objects").mkdir(parents=True)
    done = here("train", "collect", listed, "--from", given.replace("EMPTY", str(tmp_path / "empty")), "--out", out)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and not out.exists()


@pytest.mark.parametrize(
    "content", [b"no gzip", *(gzip.compress(data, mtime=0) for data in (b"repo,path\na,b\n", b"\xff\xfe"))]
)
def test_a_file_that_is_no_list_is_refused(clone, tmp_path, content):
    listed = tmp_path / "list.csv.gz"
    listed.write_bytes(content)
    done = here("train", "collect", listed, "--from", f"a/b={clone}", "--out", tmp_path / "out")
    assert done.returncode == 2 and "list.csv.gz" in done.stderr and "Traceback" not in done.stderr
