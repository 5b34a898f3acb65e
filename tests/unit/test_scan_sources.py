"""What `deepfake-detect scan` takes: folders, patterns, lists; tables, tars and stores have files of their own."""

import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scans import IN_TURNS, bytes_of, enumerate_names, scan, table, tar


def test_a_folder_with_all_inside_it(judged_by_colour, four, tmp_path):
    shutil.copytree(four, tmp_path / "a" / "b" / "c")
    shutil.copy(four / "0001.jpg", tmp_path / "a" / "z.JPEG")
    names = [*(f"b/c/{number:04d}.jpg" for number in range(4)), "z.JPEG"]
    expected = zip((f"{tmp_path}/a/{name}" for name in names), [*IN_TURNS, "real"], strict=True)
    assert judged_by_colour(tmp_path / "a") == dict(expected)


def test_a_scan_is_no_part_of_the_folder_it_is_in(judged_by_colour, four, model, tmp_path):
    shutil.copytree(four, tmp_path / "a")
    scan(four, "--out", tmp_path / "a" / "older.parquet", "--model", model)
    assert len(judged_by_colour(tmp_path / "a")) == 4


@pytest.mark.parametrize("pattern", ["*/000[01].jpg", "**/000[01].jpg"])
def test_a_pattern(judged_by_colour, four, tmp_path, pattern):
    shutil.copytree(four, tmp_path / "a")
    shutil.copytree(four, tmp_path / "[b]")
    found = judged_by_colour(tmp_path / pattern)
    assert [Path(path).name for path in found] == ["0000.jpg", "0001.jpg"] * 2
    shutil.rmtree(tmp_path / "out.parquet")
    assert len(judged_by_colour(tmp_path / "[b]")) == 4  # means itself


def test_a_pattern_may_match_what_is_damaged(judged_by_colour, four, tmp_path):
    shutil.copy(four / "0001.jpg", tmp_path / "a.jpg")
    (tmp_path / "a.tar").write_bytes(b"no tar" * 200)
    found = judged_by_colour(tmp_path / "a.*", status=1)
    assert found.pop(f"{tmp_path}/a.jpg") == "real"
    assert "is not a whole, uncompressed tar" in found.pop(f"{tmp_path}/a.tar") and not found


def test_a_folder_inside_that_cannot_be_read_is_a_row(judged_by_colour, four, tmp_path, monkeypatch):
    shutil.copytree(four, tmp_path / "a" / "b")
    (tmp_path / "a" / "locked").mkdir()
    scandir = os.scandir

    def refuses(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuses)
    found = judged_by_colour(tmp_path / "a", status=1)
    assert found.pop(f"{tmp_path}/a/locked") == f"{tmp_path}/a/locked cannot be read: Permission denied."
    assert list(found.values()) == IN_TURNS


def test_what_is_damaged_may_have_a_name_that_is_not_utf_8(judged_by_colour, four, tmp_path):
    shutil.copytree(four, tmp_path / "a")
    Path(os.fsdecode(bytes(tmp_path / "a") + b"/caf\xe9.tar")).write_bytes(b"no tar" * 200)
    found = judged_by_colour(tmp_path / "a", status=1)
    assert found.pop(rf"{tmp_path}/a/caf\udce9.tar").startswith(
        rf"{tmp_path}/a/caf\xe9.tar is not a whole, uncompressed tar: "
    )
    assert list(found.values()) == IN_TURNS


def test_what_is_left_out_is_told_by_its_kind(four, model, tmp_path):
    shutil.copytree(four, tmp_path / "a")
    done = scan(tmp_path / "a", "--out", tmp_path / "a" / "out.parquet", "--model", model)
    assert done.returncode == 0 and "Left out" not in done.stderr  # not even the scan's own listing
    (tmp_path / "a" / "link").symlink_to(four)
    done = scan(tmp_path / "a", "--out", tmp_path / "b.parquet", "--model", model)
    assert "Left out: 1 linked folder.\n" in done.stderr


def test_several_sources_and_what_is_meant_twice_once(judged_by_colour, four):
    found = judged_by_colour(four / "0003.jpg", four / "*2.jpg", four / "0003.jpg", four)
    assert list(found.values()) == IN_TURNS


def test_a_list_of_paths(judged_by_colour, four, tmp_path):
    names = [
        four / "0002.jpg",
        "",
        four / "gone.tar",
        four / "gone.jpg",
        "  ",
        four / "clip.mp4",
        four / "0001.jpg",
    ]
    (tmp_path / "list.txt").write_text("\n".join(map(str, names)), encoding="utf-8-sig")
    found = judged_by_colour(tmp_path / "list.txt", status=1)
    assert "is not a whole, uncompressed tar" in found.pop(str(four / "gone.tar"))
    assert found == {str(four / "0001.jpg"): "real", str(four / "0002.jpg"): "fake",
                     str(four / "gone.jpg"): "There is no such file."}  # fmt: skip


def test_a_file_without_a_picture_s_suffix_is_one_where_it_is_named(judged_by_colour, four, tmp_path):
    shutil.copy(four / "0001.jpg", tmp_path / "key")
    assert list(judged_by_colour(tmp_path / "key").values()) == ["real"]


def test_what_is_damaged_in_a_folder_is_a_row_and_the_rest_go_on(judged_by_colour, four, tmp_path):
    folder = tmp_path / "a"
    shutil.copytree(four, folder)
    whole = tar(tmp_path / "t.tar", dict(enumerate_names(bytes_of(four)))).read_bytes()
    (folder / "cut.tar").write_bytes(whole[: len(whole) // 2])
    tar(folder / "packed.tar", {"a.jpg": b"x"}, "w:gz")
    (folder / "member").unlink()
    (folder / "no.parquet").write_bytes(b"PAR1 no table PAR1")
    pq.write_table(table("caption", pa.string(), ["a"]), folder / "captions.parquet")
    pq.write_table(table("image", pa.binary(), [b"x" * 10_000] * 40), folder / "image.parquet", compression="none",
                   use_dictionary=False, row_group_size=20, data_page_size=1000)  # fmt: skip
    data = bytearray((folder / "image.parquet").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 30_000] = b"\xff" * 30_000
    (folder / "image.parquet").write_bytes(data)
    found = {path.removeprefix(f"{folder}/"): said for path, said in judged_by_colour(folder, status=1).items()}
    assert [found[f"{number:04d}.jpg"] for number in range(4)] == IN_TURNS
    assert "is not a whole, uncompressed tar" in found["cut.tar"] and found["cut.tar#0000.jpg"] == "fake"
    assert "is not a whole, uncompressed tar" in found["packed.tar"]
    assert "cannot be used" in found["no.parquet"]
    assert "of its columns, number, caption, none" in found["captions.parquet"]
    said = [found[f"image.parquet#{row}"] for row in range(40)]
    assert said[0].startswith("This is not a picture") and said[39].startswith("The file cannot be read"), said


@pytest.mark.parametrize("name", ["captions.parquet", "no.parquet", "no.tar"])
def test_what_is_damaged_and_named_is_refused(model, tmp_path, name):
    (tmp_path / "no.parquet").write_bytes(b"no table")
    (tmp_path / "no.tar").write_bytes(b"no tar" * 200)
    pq.write_table(table("caption", pa.string(), ["a"]), tmp_path / "captions.parquet")
    done = scan(tmp_path / name, "--out", tmp_path / "out.parquet", "--model", model)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and name in done.stderr
    assert not (tmp_path / "out.parquet").exists()


def test_files_that_cannot_be_read_are_rows(judged_by_colour, four, tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    shutil.copy(four / "0000.jpg", folder)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "lost.jpg").symlink_to("nowhere")
    with (folder / "vast.png").open("wb") as file:
        file.truncate(65 * 2**20)
    found = {Path(path).name: said for path, said in judged_by_colour(folder, status=1).items()}
    assert found == {
        "0000.jpg": "fake",
        "lost.jpg": "There is no such file.",
        "pipe.jpg": "This is not an ordinary file.",
        "vast.png": "The file is larger than 64 MB. Send a smaller copy.",
    }
