"""What of train another split holds as well is found, and nothing else."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.data import read_samples
from train.leaks import near_pairs, removed_paths


def texture(seed: int, side: int = 200) -> Image.Image:
    """A picture with structure of every size, unlike that of any other seed."""
    rng = np.random.default_rng(seed)
    layers = [Image.fromarray(rng.integers(0, 256, (n, n, 3), np.uint8)).resize((side, side)) for n in (4, 9, 40)]
    return Image.fromarray(np.mean([np.asarray(layer, float) for layer in layers], axis=0).astype(np.uint8))


@pytest.fixture
def folders(tmp_path) -> list[Path]:
    """Of one folder train and test; of another, later one, train alone, with what is in the first one's test."""
    made = []
    for name, rows in (
        ("first", [("train", "real", 1, "p1"), ("train", "fake", 2, ""), ("test", "real", 3, "p3"),
                   ("test", "fake", 4, ""), ("val", "real", 5, ""), ("val", "fake", 6, "")]),
        ("later", [("train", "real", 10, "p3"), ("train", "fake", 4, ""), ("train", "real", 11, "p11"),
                   ("train", "fake", 12, "")]),
    ):  # fmt: skip
        folder = tmp_path / name
        folder.mkdir()
        with (folder / "manifest.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("path", "split", "label", "source", "group"))
            for split, label, seed, group in rows:
                writer.writerow((f"{seed}.jpg", split, label, "toy", group))
                picture = texture(seed)
                if name == "later":
                    picture = picture.resize((150, 150))
                picture.save(folder / f"{seed}.jpg", quality=70 if name == "later" else 95)
        made.append(folder)
    return made


def test_a_group_and_a_copy_in_another_size_are_left_out_of_train_alone(folders, tmp_path, capsys):
    samples = read_samples(folders)
    file = tmp_path / "removed.csv"
    removed = removed_paths(samples, file)
    assert {Path(path).relative_to(tmp_path).as_posix() for path in removed} == {"later/10.jpg", "later/4.jpg"}
    rows = {row["path"]: row for row in csv.DictReader(file.open())}
    assert rows["later/10.jpg"]["reason"] == "group" and rows["later/10.jpg"]["like"] == "first/3.jpg"
    assert rows["later/4.jpg"]["reason"] == "near duplicate" and rows["later/4.jpg"]["like"] == "first/4.jpg"
    assert "toy: 1 left out, group in another split" in capsys.readouterr().out
    before = file.read_bytes()
    assert removed_paths(read_samples(folders[::-1]), tmp_path / "again.csv") == removed
    assert (tmp_path / "again.csv").read_bytes() == before


def test_what_was_found_is_not_looked_for_again(folders, tmp_path):
    samples = read_samples(folders)
    removed = removed_paths(samples, tmp_path / "removed.csv")
    for folder in folders:
        for file in folder.glob("*.jpg"):
            file.unlink()
    assert removed_paths(samples, tmp_path / "removed.csv") == removed


def test_near_pairs_are_those_of_a_comparison_of_all_bits():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 2**63, 700, np.uint64)
    second = first[::50] ^ np.array([0, 1, 3, 7, 255, 511, 1 << 60] * 2, np.uint64)
    expected = {
        (a, b, bin(int(x ^ y)).count("1"))
        for a, x in enumerate(first)
        for b, y in enumerate(second)
        if bin(int(x ^ y)).count("1") <= 8
    }
    assert set(near_pairs(first, second, 8)) == expected and len(expected) >= 12
