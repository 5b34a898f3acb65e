"""`deepfake-detect`: as a person runs it, and, for speed, through its `main`."""

import csv
import io
import os
import resource
import shutil
from pathlib import Path

import pytest
from cli_folder import PASSED_OVER, mixed_folder, names, records
from commands import command

from deepfake_detect import __version__
from deepfake_detect.cli.judge import main

VERDICT_KEYS = ["path", "label", "p_fake", "confidence", "reasons", "reason_codes", "faces", "faces_left_out",
                "faces_found", "kind", "ms"]  # fmt: skip


@pytest.fixture
def album(portrait, tmp_path) -> Path:
    return mixed_folder(portrait, tmp_path)


@pytest.fixture
def detect(model, capsys):
    """Run the command in this process: (exit status, standard output, standard error)."""

    def run(*words: object) -> tuple[int, str, str]:
        status = main([*map(str, words), "--model", str(model)])
        return status, *capsys.readouterr()

    return run


# Formats


def test_json_lines_hold_the_verdict_with_path_and_time(detect, album):
    status, out, err = detect(album / "b.png", "--format", "jsonl")
    (record,) = records(out)
    assert (status, err) == (0, "")
    assert sorted(record) == sorted(VERDICT_KEYS)
    assert record["path"] == str(album / "b.png") and record["label"] == "fake" and record["ms"] > 0
    assert record["confidence"] == record["p_fake"] > 0.5
    assert [sorted(face) for face in record["faces"]] == [["box", "kind", "label", "p_fake", "score"]]


def test_a_broken_file_gives_its_error_and_the_rest_go_on(detect, album):
    status, out, err = detect(album / "b.png", album / "a.jpg", album / "c.JPG", "--format", "jsonl")
    first, broken, last = records(out)
    assert (status, err) == (1, "")
    assert list(broken) == ["path", "error", "error_code"] and broken["path"] == str(album / "a.jpg")
    assert "not a picture" in broken["error"] and broken["error_code"] == "unsupported_format"
    assert (first["label"], last["label"]) == ("fake", "real")


def test_csv_has_one_row_per_picture(detect, album):
    status, out, err = detect(album, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert (status, err) == (1, PASSED_OVER)
    assert [Path(row["path"]).name for row in rows] == ["a.jpg", "b.png", "c.JPG"]
    assert rows[0]["error"] and not rows[0]["label"]
    assert [row["label"] for row in rows[1:]] == ["fake", "real"] and rows[1]["faces"] == "1"
    assert all(0 <= float(row["p_fake"]) <= 1 and float(row["ms"]) > 0 and not row["error"] for row in rows[1:])


def test_csv_keeps_a_name_with_comma_quote_and_line_break(detect, album):
    odd = album / 'a, "b"\nc.png'
    shutil.copy(album / "b.png", odd)
    _, out, _ = detect(odd, "--format", "csv")
    assert [row["path"] for row in csv.DictReader(io.StringIO(out, newline=""))] == [str(odd)]


def test_the_table_has_a_head_and_one_line_per_picture(detect, album):
    status, out, err = detect(album)
    head, broken, fake, real = out.splitlines()
    assert (status, err) == (1, PASSED_OVER)
    assert head.startswith("file")
    assert "error" in broken and "not a picture" in broken
    assert "b.png" in fake and " fake " in fake and "c.JPG" in real and " real " in real


def test_a_name_cannot_forge_a_line_of_the_table(detect, album):
    odd = album / "x.png\nb.png  real\x1b[31m\u202e.png"
    shutil.copy(album / "b.png", odd)
    _, out, _ = detect(odd)
    assert len(out.splitlines()) == 2 and "\x1b" not in out and "\u202e" not in out


def test_a_long_name_is_shortened_at_its_start(detect, album):
    shutil.copy(album / "b.png", album / ("long" * 30 + " end.png"))
    _, out, _ = detect(album / ("long" * 30 + " end.png"))
    line = out.splitlines()[1]
    assert line.startswith("…") and " end.png" in line[:60]


# What is judged, and in which order


def test_a_folder_gives_its_pictures_sorted_and_nothing_else(detect, album):
    assert names(detect(album, "--format", "jsonl")[1]) == ["a.jpg", "b.png", "c.JPG"]


def test_recursive_looks_into_inner_folders(detect, album):
    assert names(detect(album, "--recursive", "--format", "jsonl")[1]) == ["a.jpg", "b.png", "c.JPG", "d.webp"]


def test_inner_folders_are_taken_in_order(detect, album):
    for folder in ("z", "m", "y", "a", "k"):
        (album / folder).mkdir()
        shutil.copy(album / "b.png", album / folder / f"{folder}.png")
    out = detect(album, "--recursive", "--format", "jsonl")[1]
    assert names(out)[3:] == ["a.png", "d.webp", "k.png", "m.png", "y.png", "z.png"]


def test_a_name_with_the_signs_of_a_pattern_means_itself_first(detect, album):
    for name in ("x.png", "[x].png"):
        shutil.copy(album / "b.png", album / name)
    assert names(detect(album / "[x].png", "--format", "jsonl")[1]) == ["[x].png"]


def test_globs_are_expanded(detect, album):
    assert names(detect(album / "*.[pJ]*", "--format", "jsonl")[1]) == ["b.png", "c.JPG"]
    assert names(detect(album / "**" / "*.webp", "--format", "jsonl")[1]) == ["d.webp"]
    assert names(detect(album / "inn*", "--format", "jsonl")[1]) == ["d.webp"]


def test_input_order_is_kept(detect, album):
    asked = [album / "c.JPG", album / "inner", album / "b.png", album / "gone.jpg", album / "*.png", album / "c.JPG"]
    status, out, _ = detect(*asked, "--format", "jsonl")
    assert names(out) == ["c.JPG", "d.webp", "b.png", "gone.jpg", "b.png", "c.JPG"]
    assert status == 1


def test_input_order_is_kept_over_several_batches(detect, album):
    asked = [album / ("b.png", "a.jpg", "c.JPG")[number % 3] for number in range(75)]
    assert names(detect(*asked, "--format", "jsonl")[1]) == [path.name for path in asked]


@pytest.mark.parametrize("name", ["two words.png", "日本 ñ é 🙂.png", "[x]*?.png", 'it\'s "q" & $x;.png', "..png"])
def test_any_name_is_read(detect, album, name):
    shutil.copy(album / "b.png", album / name)
    status, out, _ = detect(album / name, "--format", "jsonl")
    assert status == 0 and [record["path"] for record in records(out)] == [str(album / name)]


def test_a_name_that_matches_nothing_is_an_error_record(detect, album):
    status, out, _ = detect(album / "gone.jpg", album / "*.nothing", "--format", "jsonl")
    assert status == 1 and names(out) == ["gone.jpg", "*.nothing"]
    assert [record["error_code"] for record in records(out)] == ["not_found"] * len(records(out))


def test_a_folder_named_like_a_picture_is_searched(detect, album):
    (album / "inner").rename(album / "inner.jpg")
    assert names(detect(album / "inner.jpg", "--format", "jsonl")[1]) == ["d.webp"]
    assert names(detect(album, "--format", "jsonl")[1]) == ["a.jpg", "b.png", "c.JPG"]


# Bad usage


def test_a_folder_without_pictures_is_bad_usage(detect, tmp_path):
    status, out, err = detect(tmp_path)
    assert (status, out) == (2, "")
    assert "No pictures or videos in" in err and "--recursive" in err and err.count("\n") == 1


@pytest.mark.parametrize("words", [[], ["--frobnicate", "a.jpg"], ["a.jpg", "--format", "xml"], ["a.jpg", "--output"]])
def test_an_unknown_option_or_none_is_bad_usage(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    out, err = capsys.readouterr()
    assert (caught.value.code, out) == (2, "") and err.startswith("usage:")


@pytest.mark.parametrize("name", ["gone.onnx", "album/notes.txt", "album", "x" * 300])
def test_a_model_that_cannot_serve_is_bad_usage(album, name, capsys):
    output = album.parent / "out.jsonl"
    status = main([str(album), "--model", str(album.parent / name), "--output", str(output)])
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.startswith("deepfake-detect: ") and err.count("\n") == 1 and "model" in err
    assert not output.exists()


# The file of --output


def test_output_holds_what_would_have_been_printed(detect, album, tmp_path):
    output = tmp_path / "out.csv"
    status, out, err = detect(album / "b.png", "--format", "csv", "--output", output)
    assert (status, out, err) == (0, "", "")
    assert output.read_text(encoding="utf-8").startswith("path,label,p_fake")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["album", "out.csv"]


def test_output_replaces_an_older_file(detect, album, tmp_path):
    output = tmp_path / "out.jsonl"
    output.write_text("old" * 10_000)
    detect(album / "b.png", "--format", "jsonl", "--output", output)
    assert names(output.read_text(encoding="utf-8")) == ["b.png"]


def test_output_is_written_through_a_link(detect, album, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "out.jsonl")
    detect(album / "b.png", "--format", "jsonl", "--output", tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and names((tmp_path / "out.jsonl").read_text()) == ["b.png"]


@pytest.mark.parametrize("place", ["gone/out.csv", "album/notes.txt/out.csv", "album", "x" * 300, "album/.."])
def test_output_that_cannot_be_written_is_bad_usage(detect, album, place):
    before = sorted(album.parent.rglob("*"))
    status, out, err = detect(album / "b.png", "--output", album.parent / place)
    assert (status, out) == (2, "")
    assert "cannot be written" in err and err.count("\n") == 1 and "None" not in err
    assert sorted(album.parent.rglob("*")) == before


@pytest.mark.parametrize("place", ["", ".", "..", "/"])
def test_output_to_a_folder_without_a_name_is_bad_usage(detect, album, place, monkeypatch):
    monkeypatch.chdir(album / "inner")
    status, _, err = detect(album / "b.png", "--output", place)
    assert status == 2 and "cannot be written" in err
    assert [path.name for path in (album / "inner").iterdir()] == ["d.webp"]


def test_output_to_a_device_leaves_the_device(detect, album, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert detect(album / "b.png", "--format", "jsonl", "--output", tmp_path / "pipe")[0] == 0
        assert names(os.read(reader, 100_000).decode()) == ["b.png"]
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_output_cut_short_by_a_full_disk_leaves_the_older_file(model, album, tmp_path):
    output = tmp_path / "out.jsonl"
    output.write_text("old")
    done = command(
        "deepfake_detect", album / "b.png", album / "c.JPG", "--format", "jsonl", "--output", output, "--model", model,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200)),
    )  # fmt: skip
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("deepfake-detect: The result cannot be written") and done.stderr.count("\n") == 1
    assert output.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["album", "out.jsonl"]


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out == f"deepfake-detect {__version__}\n"
