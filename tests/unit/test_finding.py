"""What the command line finds in folders, and what it says that it passed over."""

import os

import pytest
from pictures import encoded

from deepfake_detect.scan.finding import Search, by_suffix


@pytest.fixture
def folder(small, tmp_path):
    """Two pictures and seven files that are neither pictures nor videos."""
    folder = tmp_path / "album"
    (folder / "inner").mkdir(parents=True)
    data = encoded(small, "JPEG")
    for name in ("a.jpg", "b.JPG"):
        (folder / name).write_bytes(data)
    for name in ("1.txt", "2.txt", "3.TXT", "4.txt", "a.pdf", "b.pdf", ".DS_Store"):
        (folder / name).write_text("words")
    (folder / "inner" / "c.jpg").write_bytes(data)
    (folder / "inner" / ".hidden.txt").write_text("words")
    return folder


def names(search: Search) -> list[str]:
    return [os.path.basename(path) for path in search.paths]


def test_what_is_skipped_is_told_by_suffix(folder):
    search = Search([str(folder)], False)
    assert names(search) == ["a.jpg", "b.JPG"]
    assert search.passed_over == [
        "Skipped 7 files that are neither pictures nor videos: 4 .txt, 2 .pdf, 1 without a suffix.",
        "1 folder inside was not looked into; --recursive does.",
    ]


def test_with_all_inner_folders(folder):
    search = Search([str(folder)], True)
    assert names(search) == ["a.jpg", "b.JPG", "c.jpg"]
    assert search.passed_over == [
        "Skipped 8 files that are neither pictures nor videos: 5 .txt, 2 .pdf, 1 without a suffix."
    ]


def test_links_to_folders_are_not_followed_and_this_is_said(folder):
    (folder / "inner" / "back").symlink_to(folder)
    search = Search([str(folder)], True)
    assert names(search) == ["a.jpg", "b.JPG", "c.jpg"]
    assert search.passed_over[1:] == ["1 link to a folder was not followed; name the folder itself."]


def test_folders_that_a_pattern_names_count_and_files_that_are_named_are_tried(folder):
    search = Search([str(folder / "inn*"), str(folder / "*.pdf")], False)
    assert names(search) == ["c.jpg", "a.pdf", "b.pdf"]
    assert search.passed_over == ["Skipped 1 file that is neither a picture nor a video: 1 .txt."]


def test_nothing_is_said_where_nothing_was_passed_over(folder):
    assert Search([str(folder / "a.jpg")], False).passed_over == []


@pytest.mark.parametrize("style", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "HEIF", "AVIF", "TIFF"])
def test_a_picture_without_a_suffix_is_found_by_what_it_holds(small, tmp_path, style):
    for name in ("picture", "picture.1", "picture.download"):
        (tmp_path / name).write_bytes(encoded(small, style))
    search = Search([str(tmp_path)], False)
    # raw files of many cameras begin as TIFF, so that such a file needs a name of its own or none
    assert names(search) == (["picture"] if style == "TIFF" else ["picture", "picture.1", "picture.download"])


def test_what_is_no_ordinary_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "words").write_text("BM is a car, GIF a name, \xff\xd8 nothing")
    search = Search([str(tmp_path)], False)
    assert search.paths == [] and search.skipped == {"": 3}


def test_many_kinds_and_odd_suffixes_stay_one_short_line():
    files = {f".{number:02d}": 1 for number in range(12)} | {".a\nb": 3, "." + "x" * 200: 2}
    said = by_suffix(type(Search([], False).skipped)(files))
    assert said.startswith(r"3 .a\x0ab, 2 .xxxxxxxxxxxxxxx, 1 .00,") and said.endswith("6 of other kinds")
