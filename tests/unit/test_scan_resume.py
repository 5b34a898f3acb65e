"""`deepfake-detect scan --resume`; folders in use are in test_scan_in_use.py, the kills in tests/hardening."""

import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from onnx_files import write_model
from scans import fill, paths, refused, rows, scan, shards

from deepfake_detect import Detector

pytestmark = pytest.mark.slow


@pytest.fixture
def judged(monkeypatch) -> list[bytes]:
    """The pictures that have been judged so far."""
    judged, prepare = [], Detector.prepare
    monkeypatch.setattr(Detector, "prepare", lambda self, data, *more: judged.append(data) or prepare(self, data))
    return judged


def times(out: Path) -> dict[str, int]:
    """When each shard was written."""
    return {name: (out / name).stat().st_mtime_ns for name in shards(out)}


def test_resume_judges_what_is_missing_and_leaves_the_rest(mixed_album, model, tmp_path, judged):
    out = tmp_path / "out.parquet"
    words = (mixed_album, "--out", out, "--model", model, "--shard-rows", 2, "--resume")
    assert scan(*words).returncode == 1  # begins it
    before = rows(out)
    for shard in ("part-000000.parquet", "part-000002.parquet"):
        (out / shard).unlink()
    kept = {name: (out / name).stat().st_mtime_ns for name in os.listdir(out)}
    judged.clear()
    assert scan(*words).returncode == 1
    assert len(judged) == 4 and rows(out) == before
    assert kept == {name: (out / name).stat().st_mtime_ns for name in kept}
    assert scan(*words).returncode == 1 and len(judged) == 4


@pytest.mark.parametrize("damage", [b"", b"PAR1 no table PAR1", "too few", "pages"])
def test_a_damaged_shard_is_made_again(mixed_album, model, tmp_path, damage):
    out = tmp_path / "out.parquet"
    words = (mixed_album, "--out", out, "--model", model, "--shard-rows", 3)
    scan(*words)
    before, file = rows(out), out / "part-000001.parquet"
    if damage == "too few":
        pq.write_table(pq.read_table(file).slice(1), file)
    elif damage == "pages":
        whole = file.read_bytes()
        file.write_bytes(whole[:4] + b"\xff" * 600 + whole[604:])
    else:
        file.write_bytes(damage)
    kept = {name: (out / name).stat().st_mtime_ns for name in shards(out) if name != file.name}
    assert scan(*words, "--resume").returncode == 1 and rows(out) == before
    assert kept == {name: (out / name).stat().st_mtime_ns for name in kept}


def test_pictures_that_could_not_be_read_are_read_by_the_next_resume(mixed_album, model, tmp_path, judged):
    out = tmp_path / "out.parquet"
    words = (mixed_album, "--out", out, "--model", model, "--shard-rows", 3)
    os.mkfifo(mixed_album / "pipe.jpg")  # which no resume will change
    (mixed_album / "0004.jpg").rename(mixed_album / "away")
    (mixed_album / "0004.jpg").symlink_to(mixed_album / "back")
    scan(*words)
    before, kept = rows(out), times(out)
    assert before[4]["error"] == "There is no such file."
    judged.clear()
    assert scan(*words, "--resume").returncode == 1
    assert not judged and times(out) == kept and rows(out) == before
    (mixed_album / "away").rename(mixed_album / "back")
    assert scan(*words, "--resume").returncode == 1
    assert judged == [(mixed_album / "back").read_bytes()]
    after = rows(out)
    assert after.pop(4)["label"] and before.pop(4) and after == before
    assert [name for name, when in times(out).items() if when != kept[name]] == ["part-000001.parquet"]


def test_many_dead_names_in_a_shard_do_not_stop_a_resume(small, model, tmp_path):
    (name,) = fill(tmp_path / "a", 1, small)
    names = tmp_path / "list.txt"
    names.write_text("\n".join([name, *(f"{tmp_path}/gone/{number}.jpg" for number in range(12))]))
    words = (names, "--out", tmp_path / "out.parquet", "--model", model)
    assert scan(*words).returncode == 1
    before = rows(tmp_path / "out.parquet")
    assert scan(*words, "--resume").returncode == 1 and rows(tmp_path / "out.parquet") == before


@pytest.mark.parametrize("shard_rows", [3, 9])
def test_of_equal_pictures_the_one_that_was_read_first_stays_the_first(small, model, tmp_path, judged, shard_rows):
    album, out = tmp_path / "a", tmp_path / "out.parquet"
    names = [Path(name) for name in fill(album, 9, small)]
    os.replace(shutil.copy(names[3], tmp_path / "copy"), names[0])
    os.replace(shutil.copy(names[4], tmp_path / "copy"), names[7])
    lost = [names[place] for place in (0, 4, 7)]
    for name in lost:
        name.rename(f"{name}.away")
        name.symlink_to(f"{name}.back")
    words = (album, "--out", out, "--model", model, "--shard-rows", shard_rows)
    assert scan(*words).returncode == 1
    assert [row["position"] for row in rows(out) if row["error"]] == [1, 5, 8]
    for name in lost:
        Path(f"{name}.away").rename(f"{name}.back")
    judged.clear()
    assert scan(*words, "--resume").returncode == 0 and judged == [names[4].read_bytes()]
    found = rows(out)
    assert {row["position"]: row["duplicate_of"] for row in found if row["duplicate_of"]} == {
        1: str(names[3]),
        8: str(names[4]),
    }
    for place, first in ((0, 3), (7, 4)):
        own = {name: found[place][name] for name in ("position", "path", "duplicate_of")}
        assert found[place] == found[first] | own and found[place]["label"]


def test_a_source_that_is_gone_stops_the_scan_and_costs_no_row(small, model, tmp_path):
    out = tmp_path / "out.parquet"
    fill(tmp_path / "a", 24, small)
    words = (tmp_path / "a", "--out", out, "--model", model, "--shard-rows", 12)
    scan(*words)
    before = rows(out)
    (out / "part-000001.parquet").unlink()
    (tmp_path / "a").rename(tmp_path / "b")
    said = (
        r"None of 12 pictures, from .*0012.jpg on, can be read: There is no such file\. .* take them out of the source"
    )
    refused(said, *words, "--resume")
    assert shards(out) == ["part-000000.parquet"]
    (tmp_path / "b").rename(tmp_path / "a")
    assert scan(*words, "--resume").returncode == 0 and rows(out) == before


def test_a_resumed_scan_goes_by_its_own_listing(mixed_album, model, tmp_path, small):
    out = tmp_path / "out.parquet"
    words = (mixed_album, "--out", out, "--model", model, "--shard-rows", 2)
    scan(*words)
    before = paths(out)
    (out / "part-000000.parquet").unlink()
    fill(mixed_album / "new", 3, small)
    (mixed_album / "0001.jpg").unlink()
    assert scan(*words, "--resume").returncode == 1
    assert paths(out) == before and rows(out)[1]["error"] == "There is no such file."


def test_a_resumed_scan_may_be_asked_for_from_another_folder(mixed_album, model, tmp_path, monkeypatch):
    out = tmp_path / "out.parquet"
    monkeypatch.chdir(tmp_path)
    scan("album", "--out", out, "--model", model, "--shard-rows", 2)
    before = rows(out)
    (out / "part-000001.parquet").unlink()
    monkeypatch.chdir(mixed_album)
    assert scan("../album", "--out", out, "--model", model, "--resume").returncode == 1
    assert rows(out) == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda album, model: ([album / "inner"], model), r"was begun of another source \(.*album\)"),
        (lambda album, model: ([album], write_model(model.with_name("n.onnx"), bias=(1, 0))), "with another model"),
        (lambda album, model: ([album, "--shard-rows", "5"], model), r"with other shards \(2\)"),
    ],
    ids=["source", "model", "shards"],
)
def test_a_resumed_scan_is_the_one_that_was_begun(mixed_album, model, tmp_path, change, sentence):
    out = tmp_path / "out.parquet"
    scan(mixed_album, "--out", out, "--model", model, "--shard-rows", 2)
    before = {file: file.read_bytes() for file in out.iterdir()}
    words, other = change(mixed_album, model)
    refused(sentence, *words, "--out", out, "--model", other, "--resume")
    assert before == {file: file.read_bytes() for file in out.iterdir()}


def test_of_many_sources_a_sentence_names_a_few(mixed_album, model, tmp_path):
    out, names = tmp_path / "out.parquet", sorted(mixed_album.glob("*.jpg"))
    scan(*names, "--out", out, "--model", model)
    refused(r"source \(.*0000.jpg, .*0001.jpg, .*0002.jpg and 3 more\)", *names[1:], "--out", out, "--model", model,
            "--resume")  # fmt: skip


def test_what_a_scan_killed_over_its_listing_has_left_is_begun_anew(mixed_album, model, tmp_path):
    for words in ((), ("--resume",)):
        out = tmp_path / f"out{len(words)}.parquet"
        out.mkdir()
        (out / ".partial-1-_listing.sqlite").write_bytes(b"half of it")
        assert scan(mixed_album, "--out", out, "--model", model, *words).returncode == 1
        assert len(rows(out)) == 8 and not list(out.glob(".partial*"))
