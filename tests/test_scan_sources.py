"""What `python -m detect scan` takes: folders, patterns, lists, Parquet and tars; stores are in test_scan_stores.py."""

import os
import shutil
import tarfile
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scans import IN_TURNS, bytes_of, enumerate_names, fill, labels, scan, table, tar

from detect.scan import reader


@pytest.fixture(scope="module")
def album(small, tmp_path_factory) -> Path:
    """Four pictures, fake and real in turns; not to be changed."""
    folder = tmp_path_factory.mktemp("album")
    fill(folder, 4, small)
    return folder


@pytest.fixture
def judged(model, tmp_path):
    return partial(labels, model, tmp_path / "out.parquet")


def test_a_folder_with_all_inside_it(judged, album, tmp_path):
    shutil.copytree(album, tmp_path / "a" / "b" / "c")
    shutil.copy(album / "0001.jpg", tmp_path / "a" / "z.JPEG")
    names = [*(f"b/c/{number:04d}.jpg" for number in range(4)), "z.JPEG"]
    expected = zip((f"{tmp_path}/a/{name}" for name in names), [*IN_TURNS, "real"], strict=True)
    assert judged(tmp_path / "a") == dict(expected)


def test_a_scan_is_no_part_of_the_folder_it_is_in(judged, album, model, tmp_path):
    shutil.copytree(album, tmp_path / "a")
    scan(album, "--out", tmp_path / "a" / "older.parquet", "--model", model)
    assert len(judged(tmp_path / "a")) == 4


@pytest.mark.parametrize("pattern", ["*/000[01].jpg", "**/000[01].jpg"])
def test_a_pattern(judged, album, tmp_path, pattern):
    shutil.copytree(album, tmp_path / "a")
    shutil.copytree(album, tmp_path / "[b]")
    found = judged(tmp_path / pattern)
    assert [Path(path).name for path in found] == ["0000.jpg", "0001.jpg"] * 2
    shutil.rmtree(tmp_path / "out.parquet")
    assert len(judged(tmp_path / "[b]")) == 4  # means itself


def test_a_pattern_may_match_what_is_damaged(judged, album, tmp_path):
    shutil.copy(album / "0001.jpg", tmp_path / "a.jpg")
    (tmp_path / "a.tar").write_bytes(b"no tar" * 200)
    found = judged(tmp_path / "a.*", status=1)
    assert found.pop(f"{tmp_path}/a.jpg") == "real"
    assert "is not a whole, uncompressed tar" in found.pop(f"{tmp_path}/a.tar") and not found


def test_a_folder_inside_that_cannot_be_read_is_a_row(judged, album, tmp_path, monkeypatch):
    shutil.copytree(album, tmp_path / "a" / "b")
    (tmp_path / "a" / "locked").mkdir()
    scandir = os.scandir

    def refuses(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuses)
    found = judged(tmp_path / "a", status=1)
    assert found.pop(f"{tmp_path}/a/locked") == f"{tmp_path}/a/locked cannot be read: Permission denied."
    assert list(found.values()) == IN_TURNS


def test_what_is_damaged_may_have_a_name_that_is_not_utf_8(judged, album, tmp_path):
    shutil.copytree(album, tmp_path / "a")
    Path(os.fsdecode(bytes(tmp_path / "a") + b"/caf\xe9.tar")).write_bytes(b"no tar" * 200)
    found = judged(tmp_path / "a", status=1)
    assert found.pop(f"{tmp_path}/a/caf?.tar").startswith(f"{tmp_path}/a/caf?.tar is not a whole, uncompressed tar: ")
    assert list(found.values()) == IN_TURNS


def test_what_is_left_out_is_told_by_its_kind(album, model, tmp_path):
    shutil.copytree(album, tmp_path / "a")
    done = scan(tmp_path / "a", "--out", tmp_path / "a" / "out.parquet", "--model", model)
    assert done.returncode == 0 and "Left out" not in done.stderr  # not even the scan's own listing
    (tmp_path / "a" / "link").symlink_to(album)
    done = scan(tmp_path / "a", "--out", tmp_path / "b.parquet", "--model", model)
    assert "Left out: 1 linked folder.\n" in done.stderr


def test_several_sources_and_what_is_meant_twice_once(judged, album):
    found = judged(album / "0003.jpg", album / "*2.jpg", album / "0003.jpg", album)
    assert list(found.values()) == IN_TURNS


def test_a_list_of_paths(judged, album, tmp_path):
    names = [
        album / "0002.jpg",
        "",
        album / "gone.tar",
        album / "gone.jpg",
        "  ",
        album / "clip.mp4",
        album / "0001.jpg",
    ]
    (tmp_path / "list.txt").write_text("\n".join(map(str, names)), encoding="utf-8-sig")
    found = judged(tmp_path / "list.txt", status=1)
    assert "is not a whole, uncompressed tar" in found.pop(str(album / "gone.tar"))
    assert found == {str(album / "0001.jpg"): "real", str(album / "0002.jpg"): "fake",
                     str(album / "gone.jpg"): "There is no such file."}  # fmt: skip


def test_a_file_without_a_picture_s_suffix_is_one_where_it_is_named(judged, album, tmp_path):
    shutil.copy(album / "0001.jpg", tmp_path / "key")
    assert list(judged(tmp_path / "key").values()) == ["real"]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
@pytest.mark.parametrize("column", ["path", "image", "url"])
def test_a_parquet_file_with_a_column_of_paths(judged, album, tmp_path, column, kind):
    names = [*map(str, sorted(album.iterdir())), None]
    pq.write_table(table(column, kind, names, caption=["a"] * 5), tmp_path / "t.parquet")
    found = judged(tmp_path / "t.parquet", status=1)
    assert found.pop(f"{tmp_path}/t.parquet#4") == "This row of the table has no path."
    assert list(found) == names[:4] and list(found.values()) == IN_TURNS


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()])
@pytest.mark.parametrize("column", ["image", "blob"])
def test_a_parquet_file_with_a_column_of_bytes(judged, album, tmp_path, column, kind):
    data = [*bytes_of(album), None, b"no picture", b""]
    pq.write_table(table(column, kind, data, path=["x"] * 7), tmp_path / "t.parquet", row_group_size=2)
    said = list(judged(tmp_path / "t.parquet", status=1).values())
    assert said[:5] == [*IN_TURNS, "This row of the table has no picture in it."]
    assert said[5].startswith("This is not a picture") and said[6].startswith("The file is empty")


def test_a_parquet_data_set_as_hugging_face_has_it(judged, album, tmp_path):
    data = bytes_of(album)
    for shard in range(2):
        images = [{"bytes": one, "path": f"{place}.jpg"} for place, one in enumerate(data[2 * shard : 2 * shard + 2])]
        rest = {"mask": [{"bytes": b"x", "path": "x"}] * 2}
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        pq.write_table(table("image", kind, images, **rest), tmp_path / f"t{shard}.parquet")
    found = judged(tmp_path)
    assert found == {f"{tmp_path}/t{n // 2}.parquet#{n % 2}": label for n, label in enumerate(IN_TURNS)}


def test_a_hugging_face_row_that_names_a_file_instead_of_its_bytes(judged, album, tmp_path):
    data = bytes_of(album)
    images = [{"bytes": data[0], "path": "a.jpg"}, {"bytes": None, "path": str(album / "0001.jpg")},
              {"bytes": None, "path": None}]  # fmt: skip
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(table("image", kind, images), tmp_path / "t.parquet")
    said = list(judged(tmp_path / "t.parquet", status=1).values())
    assert said == ["fake", "real", "This row of the table has no picture in it."]


def test_rows_of_large_row_groups_are_read_where_they_are_wanted(album, tmp_path):
    data = [str(number).encode() * 100 for number in range(200)]
    pq.write_table(table("image", pa.binary(), data), tmp_path / "t.parquet", row_group_size=70)
    for wanted in ([0], [199], [3, 4, 68, 69, 70, 71, 150], list(range(200))):
        items = [reader.Item(str(tmp_path / "t.parquet"), reader.ROW, row) for row in wanted]
        assert list(reader.Reader("").read(items)) == [data[row] for row in wanted]


def read_in_parts(file: Path, rows: int, at_once: int) -> list:
    """What one reader makes of a table, so many rows a time; errors as their sentence."""
    items, one = [reader.Item(str(file), reader.ROW, row) for row in range(rows)], reader.Reader("")
    parts = [one.read(items[start : start + at_once]) for start in range(0, rows, at_once)]
    return [data if isinstance(data, bytes) else str(data) for part in parts for data in part]


def test_a_row_group_is_decoded_once_however_many_rows_are_asked_for(tmp_path, monkeypatch):
    data = [str(number).encode() * 100 for number in range(200)]
    pq.write_table(table("image", pa.binary(), data), tmp_path / "t.parquet", row_group_size=100)
    begun, decode = [], pq.ParquetFile.iter_batches
    monkeypatch.setattr(
        pq.ParquetFile, "iter_batches", lambda self, *words, **more: begun.append(more) or decode(self, *words, **more)
    )
    assert read_in_parts(tmp_path / "t.parquet", 200, 10) == data and len(begun) == 2


def test_damage_costs_its_own_row_group_whatever_the_shards(tmp_path):
    data = [bytes([number]) * 5000 for number in range(40)]
    pq.write_table(table("image", pa.binary(), data), tmp_path / "t.parquet", row_group_size=10, compression="none",
                   use_dictionary=False)  # fmt: skip
    whole = (tmp_path / "t.parquet").read_bytes()
    start = pq.read_metadata(tmp_path / "t.parquet").row_group(1).column(1).data_page_offset
    (tmp_path / "t.parquet").write_bytes(whole[:start] + b"\xff" * 100 + whole[start + 100 :])
    for at_once in (40, 20, 10, 7):
        found = read_in_parts(tmp_path / "t.parquet", 40, at_once)
        assert found[:10] == data[:10] and found[20:] == data[20:]
        assert all(one.startswith("The file cannot be read: ") for one in found[10:20])


def test_a_table_that_was_made_shorter_after_it_was_listed(tmp_path):
    pq.write_table(table("image", pa.binary(), [b"x"] * 3), tmp_path / "t.parquet")
    error = "The table has fewer rows than when it was listed."
    assert read_in_parts(tmp_path / "t.parquet", 5, 5) == [b"x"] * 3 + [error] * 2


def test_a_tar_as_webdataset_packs_it(judged, album, tmp_path):
    members = {f"{n:04d}.{kind}": data for n, data in enumerate(bytes_of(album)) for kind in ("jpg", "json", "cls")}
    tar(tmp_path / "t.tar", members)
    assert judged(tmp_path / "t.tar") == {f"{tmp_path}/t.tar#{n:04d}.jpg": label for n, label in enumerate(IN_TURNS)}


@pytest.mark.parametrize("damage", ["overwritten", "cut inside it", "cut before it"])
def test_a_tar_with_a_damaged_header_says_that_there_was_more(judged, album, tmp_path, damage):
    (tmp_path / "a").mkdir()
    file = tar(tmp_path / "a" / "t.tar", dict(enumerate_names(bytes_of(album))))
    (tmp_path / "a" / "member").unlink()
    with tarfile.open(file) as whole:
        at = whole.getmember("0002.jpg").offset
    data = file.read_bytes()
    file.write_bytes({"overwritten": data[:at] + b"\xff" * 512 + data[at + 512 :],
                      "cut inside it": data[: at + 100], "cut before it": data[:at]}[damage])  # fmt: skip
    found = judged(tmp_path / "a", status=1)
    assert found.pop(str(file)).startswith(f"{file} is not a whole, uncompressed tar: it is cut short or damaged at")
    assert found == {f"{file}#0000.jpg": "fake", f"{file}#0001.jpg": "real"}


def test_what_is_damaged_in_a_folder_is_a_row_and_the_rest_go_on(judged, album, tmp_path):
    folder = tmp_path / "a"
    shutil.copytree(album, folder)
    whole = tar(tmp_path / "t.tar", dict(enumerate_names(bytes_of(album)))).read_bytes()
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
    found = {path.removeprefix(f"{folder}/"): said for path, said in judged(folder, status=1).items()}
    assert [found[f"{number:04d}.jpg"] for number in range(4)] == IN_TURNS
    assert "is not a whole, uncompressed tar" in found["cut.tar"] and found["cut.tar#0000.jpg"] == "fake"
    assert "is not a whole, uncompressed tar" in found["packed.tar"]
    assert "cannot be used" in found["no.parquet"]
    assert "of its columns, number, caption, none" in found["captions.parquet"]
    said = [found[f"image.parquet#{row}"] for row in range(40)]
    assert said[0].startswith("This is not a picture") and said[39].startswith("The file cannot be read"), said


def header(size: bytes, kind: bytes = b"0") -> bytes:
    """Of a tar's member, with a size as the header writes it."""
    data = tarfile.TarInfo("b.jpg").tobuf()
    data = data[:124] + size + data[136:148] + b" " * 8 + kind + data[157:]  # spaces stand for the sum of all
    return data[:148] + b"%06o\0 " % sum(data) + data[156:]


def sparse(records: dict[str, str], data: bytes) -> bytes:
    """A member with a sparse map as PAX writes it."""
    member = tarfile.TarInfo("b.jpg")
    member.size, member.pax_headers = len(data), records
    return member.tobuf(tarfile.PAX_FORMAT) + data


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "member",
    [
        header(b"\xff" * 10 + b"\xfe\0"),  # of -512 bytes: the next header would be this one
        header(b"\xff" * 12),
        header(b"\x80" + b"\xff" * 11),
        header(b"\x80" + b"\xff" * 11, kind=b"L"),
        header(b"\x80" + b"\0" * 4 + b"\x7f" + b"\xff" * 6, kind=b"L"),
        header(b"\xff" * 10 + b"\xfe\0", kind=b"x"),
        sparse({"GNU.sparse.map": "0,one"}, b"x" * 512),
        sparse({"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "b.jpg"}, b"9\n0\n"),
    ],
    ids=["circle", "negative", "vast", "vast name", "too long a name", "negative record", "map", "cut map"],
)
def test_a_tar_with_a_header_that_cannot_be_is_read_up_to_there(judged, album, tmp_path, member):
    (tmp_path / "a").mkdir()
    with tarfile.open(tmp_path / "a" / "t.tar", "w") as packed:
        packed.add(album / "0001.jpg", "a.jpg")
        packed.fileobj.write(member)
    found = judged(tmp_path / "a", status=1)
    assert found.pop(f"{tmp_path}/a/t.tar#a.jpg") == "real"
    assert "is not a whole, uncompressed tar" in found.pop(f"{tmp_path}/a/t.tar") and not found


@pytest.mark.parametrize("name", ["captions.parquet", "no.parquet", "no.tar"])
def test_what_is_damaged_and_named_is_refused(model, tmp_path, name):
    (tmp_path / "no.parquet").write_bytes(b"no table")
    (tmp_path / "no.tar").write_bytes(b"no tar" * 200)
    pq.write_table(table("caption", pa.string(), ["a"]), tmp_path / "captions.parquet")
    done = scan(tmp_path / name, "--out", tmp_path / "out.parquet", "--model", model)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and name in done.stderr
    assert not (tmp_path / "out.parquet").exists()


def test_files_that_cannot_be_read_are_rows(judged, album, tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    shutil.copy(album / "0000.jpg", folder)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "lost.jpg").symlink_to("nowhere")
    with (folder / "vast.png").open("wb") as file:
        file.truncate(65 * 2**20)
    found = {Path(path).name: said for path, said in judged(folder, status=1).items()}
    assert found == {
        "0000.jpg": "fake",
        "lost.jpg": "There is no such file.",
        "pipe.jpg": "This is not an ordinary file.",
        "vast.png": "The file is larger than 64 MB. Send a smaller copy.",
    }
