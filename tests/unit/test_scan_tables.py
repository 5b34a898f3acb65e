"""Parquet tables of paths and of pictures as sources of `deepfake-detect scan`."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scans import IN_TURNS, bytes_of, table

from deepfake_detect.scan import reader


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
@pytest.mark.parametrize("column", ["path", "image", "url"])
def test_a_parquet_file_with_a_column_of_paths(judged_by_colour, four, tmp_path, column, kind):
    names = [*map(str, sorted(four.iterdir())), None]
    pq.write_table(table(column, kind, names, caption=["a"] * 5), tmp_path / "t.parquet")
    found = judged_by_colour(tmp_path / "t.parquet", status=1)
    assert found.pop(f"{tmp_path}/t.parquet#4") == "This row of the table has no path."
    assert list(found) == names[:4] and list(found.values()) == IN_TURNS


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()])
@pytest.mark.parametrize("column", ["image", "blob"])
def test_a_parquet_file_with_a_column_of_bytes(judged_by_colour, four, tmp_path, column, kind):
    data = [*bytes_of(four), None, b"no picture", b""]
    pq.write_table(table(column, kind, data, path=["x"] * 7), tmp_path / "t.parquet", row_group_size=2)
    said = list(judged_by_colour(tmp_path / "t.parquet", status=1).values())
    assert said[:5] == [*IN_TURNS, "This row of the table has no picture in it."]
    assert said[5].startswith("This is not a picture") and said[6].startswith("The file is empty")


def test_a_parquet_data_set_as_hugging_face_has_it(judged_by_colour, four, tmp_path):
    data = bytes_of(four)
    for shard in range(2):
        images = [{"bytes": one, "path": f"{place}.jpg"} for place, one in enumerate(data[2 * shard : 2 * shard + 2])]
        rest = {"mask": [{"bytes": b"x", "path": "x"}] * 2}
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        pq.write_table(table("image", kind, images, **rest), tmp_path / f"t{shard}.parquet")
    found = judged_by_colour(tmp_path)
    assert found == {f"{tmp_path}/t{n // 2}.parquet#{n % 2}": label for n, label in enumerate(IN_TURNS)}


def test_a_hugging_face_row_that_names_a_file_instead_of_its_bytes(judged_by_colour, four, tmp_path):
    data = bytes_of(four)
    images = [{"bytes": data[0], "path": "a.jpg"}, {"bytes": None, "path": str(four / "0001.jpg")},
              {"bytes": None, "path": None}]  # fmt: skip
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(table("image", kind, images), tmp_path / "t.parquet")
    said = list(judged_by_colour(tmp_path / "t.parquet", status=1).values())
    assert said == ["fake", "real", "This row of the table has no picture in it."]


def test_rows_of_large_row_groups_are_read_where_they_are_wanted(four, tmp_path):
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
