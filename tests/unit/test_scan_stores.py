"""`deepfake-detect scan` of object stores, and of URLs."""

import shutil
from collections import Counter

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from scans import IN_TURNS, bytes_of, enumerate_names, scan, table, tar

from deepfake_detect.picture.decode import MAX_BYTES, TOO_MANY_BYTES
from deepfake_detect.scan import filesystem as stores
from deepfake_detect.scan.listing import Item, Listing
from deepfake_detect.scan.reader import Reader


class Bucket(MemoryFileSystem):
    """A store that takes its arguments in another order, as s3fs does."""

    protocol = "bucket"
    store = {}  # noqa: RUF012
    pseudo_dirs = [""]  # noqa: RUF012

    def cat_file(self, path, version_id=None, start=None, end=None, **kwargs):
        assert version_id is None
        return super().cat_file(path, start=start, end=end, **kwargs)


fsspec.register_implementation("bucket", Bucket, clobber=True)


@pytest.fixture(params=["memory", "bucket"])
def bucket(request, four, tmp_path):
    """The URL of a bucket with pictures, a tar, a table and a list."""
    root = f"{request.param}://photos"
    store, place = fsspec.core.url_to_fs(root)
    store.put(f"{four}/", f"{place}/album/", recursive=True)
    data = bytes_of(four)
    store.put(str(tar(tmp_path / "t.tar", dict(enumerate_names(data)))), f"{place}/t.tar")
    pq.write_table(table("image", pa.binary(), data), tmp_path / "t.parquet")
    store.put(str(tmp_path / "t.parquet"), f"{place}/t.parquet")
    store.pipe(f"{place}/list.txt", f"{root}/album/0003.jpg\n{root}/gone.jpg\n".encode())
    store.pipe(f"{place}/empty.png", b"")
    store.pipe(f"{place}/clip.mp4", b"")
    yield root
    store.rm(place, recursive=True)


def test_a_bucket(judged_by_colour, bucket):
    found = judged_by_colour(bucket, status=1)
    assert list(found.values()) == [*IN_TURNS, "The file is empty. Send the picture again.", *IN_TURNS, *IN_TURNS]
    assert all(stores.is_url(path) for path in found)


def test_a_scan_is_no_part_of_the_bucket_it_is_in(judged_by_colour, bucket):
    store, place = fsspec.core.url_to_fs(bucket)
    store.copy(f"{place}/album/0000.jpg", f"{place}/older/0000.jpg")
    store.pipe(f"{place}/older/_scan.json", b"{}")
    found = judged_by_colour(bucket, status=1)
    assert [path for path in found if path.endswith("/0000.jpg")] == [min(found)] and "/album/" in min(found)


def test_a_folder_of_a_bucket_takes_one_request(bucket, monkeypatch):
    store, place = fsspec.core.url_to_fs(bucket)
    for number in range(5):
        store.copy(f"{place}/album/0000.jpg", f"{place}/inner/{number}/0000.jpg")
    asked = Counter()

    def counted(request):
        return lambda self, path, *words, **more: asked.update([path]) or request(self, path, *words, **more)

    for name in ("ls", "info", "exists"):
        monkeypatch.setattr(MemoryFileSystem, name, counted(getattr(MemoryFileSystem, name)))
    assert len([*Listing([f"{bucket}/inner"])]) == 5
    assert [asked[f"{place}/inner/{number}"] for number in range(5)] == [1] * 5
    assert not [path for path in asked if path.endswith("_scan.json")]


def test_a_store_that_tells_no_sizes(judged_by_colour, bucket, monkeypatch):
    ls = MemoryFileSystem.ls

    def sizeless(self, path, detail=True, **kwargs):
        return [entry | {"size": None} if detail else entry for entry in ls(self, path, detail, **kwargs)]

    monkeypatch.setattr(MemoryFileSystem, "ls", sizeless)
    assert list(judged_by_colour(f"{bucket}/album").values()) == IN_TURNS


def test_a_file_that_has_grown_since_it_was_listed_is_read_whole(four, bucket):
    store, place = fsspec.core.url_to_fs(f"{bucket}/album")
    items = [Item(f"{bucket}/album/{name}.jpg", size=100) for name in ("0000", "0001")]
    store.pipe(f"{place}/0001.jpg", bytes(MAX_BYTES + 1))
    data, error = Reader("").read(items)
    assert data == (four / "0000.jpg").read_bytes() and str(error) == TOO_MANY_BYTES


def test_parts_of_a_bucket(judged_by_colour, bucket):
    found = judged_by_colour(f"{bucket}/album/*[01].jpg", f"{bucket}/t.tar", f"{bucket}/album/0002.jpg")
    assert sorted(found.values()) == sorted([*IN_TURNS[:3], *IN_TURNS])


def test_a_list_in_a_bucket_of_what_is_in_it(judged_by_colour, bucket):
    assert list(judged_by_colour(f"{bucket}/list.txt", status=1).values()) == ["real", "There is no such file."]


def test_a_store_that_fails_is_an_error_of_each_picture(judged_by_colour, bucket, monkeypatch):
    def fails(self, path, *args, **kwargs):
        raise RuntimeError("throttled\nby the store")

    monkeypatch.setattr(MemoryFileSystem, "cat_file", fails)
    found = judged_by_colour(f"{bucket}/album", status=1)
    assert list(found.values()) == ["The file cannot be read: throttled."] * 4


def test_a_file_url(judged_by_colour, four, tmp_path):
    shutil.copytree(four, tmp_path / "a")
    (tmp_path / "a" / "0003.jpg").rename(tmp_path / "a" / "a::b.jpg")
    assert list(judged_by_colour(f"file://{tmp_path}/a").values()) == IN_TURNS


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("gs://photos", "Please install gcsfs"),
        ("nothing://photos", "Protocol not known: nothing"),
        ("memory://gone", "There is no memory://gone"),
        ("memory://gone/*.jpg", "No pictures in memory://gone/"),
    ],
)
def test_a_store_that_cannot_be_reached_is_refused(model, tmp_path, url, sentence):
    done = scan(url, "--out", tmp_path / "out.parquet", "--model", model)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and sentence in done.stderr
    assert not (tmp_path / "out.parquet").exists()


def test_a_store_that_refuses_to_be_listed_is_a_sentence(model, tmp_path, monkeypatch):
    def refuses(self, *args, **kwargs):
        raise LookupError("Access Denied")

    monkeypatch.setattr(MemoryFileSystem, "isdir", refuses)
    done = scan("memory://photos", "--out", tmp_path / "out.parquet", "--model", model)
    assert done.returncode == 2
    assert done.stderr == "deepfake-detect scan: memory://photos cannot be read: Access Denied.\n"
