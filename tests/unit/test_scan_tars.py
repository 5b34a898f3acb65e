"""Tars as sources of `deepfake-detect scan`."""

import tarfile

import pytest
from scans import IN_TURNS, bytes_of, enumerate_names, tar


def test_a_tar_as_webdataset_packs_it(judged_by_colour, four, tmp_path):
    members = {f"{n:04d}.{kind}": data for n, data in enumerate(bytes_of(four)) for kind in ("jpg", "json", "cls")}
    tar(tmp_path / "t.tar", members)
    assert judged_by_colour(tmp_path / "t.tar") == {
        f"{tmp_path}/t.tar#{n:04d}.jpg": label for n, label in enumerate(IN_TURNS)
    }


@pytest.mark.parametrize("damage", ["overwritten", "cut inside it", "cut before it"])
def test_a_tar_with_a_damaged_header_says_that_there_was_more(judged_by_colour, four, tmp_path, damage):
    (tmp_path / "a").mkdir()
    file = tar(tmp_path / "a" / "t.tar", dict(enumerate_names(bytes_of(four))))
    (tmp_path / "a" / "member").unlink()
    with tarfile.open(file) as whole:
        at = whole.getmember("0002.jpg").offset
    data = file.read_bytes()
    file.write_bytes({"overwritten": data[:at] + b"\xff" * 512 + data[at + 512 :],
                      "cut inside it": data[: at + 100], "cut before it": data[:at]}[damage])  # fmt: skip
    found = judged_by_colour(tmp_path / "a", status=1)
    assert found.pop(str(file)).startswith(f"{file} is not a whole, uncompressed tar: it is cut short or damaged at")
    assert found == {f"{file}#0000.jpg": "fake", f"{file}#0001.jpg": "real"}


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
def test_a_tar_with_a_header_that_cannot_be_is_read_up_to_there(judged_by_colour, four, tmp_path, member):
    (tmp_path / "a").mkdir()
    with tarfile.open(tmp_path / "a" / "t.tar", "w") as packed:
        packed.add(four / "0001.jpg", "a.jpg")
        packed.fileobj.write(member)
    found = judged_by_colour(tmp_path / "a", status=1)
    assert found.pop(f"{tmp_path}/a/t.tar#a.jpg") == "real"
    assert "is not a whole, uncompressed tar" in found.pop(f"{tmp_path}/a/t.tar") and not found
