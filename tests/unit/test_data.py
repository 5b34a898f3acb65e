from collections import Counter

import pytest

from train.data import DataError, data_sha256, read_samples


def tree(root, counts):
    for folder, count in counts.items():
        (root / folder).mkdir(parents=True)
        for number in range(count):
            (root / folder / f"{number:02d}.jpg").write_bytes(b"a picture, opened later")
    return root


def manifest(root, rows, columns="path,label,split,group"):
    (root / "manifest.csv").write_text("\n".join([columns, *rows]) + "\n")
    return root


def counts(samples):
    return Counter((sample.split, sample.label) for sample in samples)


def test_plain_class_folders_are_split_80_to_20_in_each_class(tmp_path):
    samples = read_samples(tree(tmp_path, {"real": 20, "fake": 10}), seed=3)
    assert counts(samples) == {("train", 0): 16, ("val", 0): 4, ("train", 1): 8, ("val", 1): 2}


def test_the_split_depends_on_the_seed_and_on_nothing_else(tmp_path):
    data = tree(tmp_path, {"real": 20, "fake": 20})
    assert read_samples(data, 1) == read_samples(data, 1)
    assert read_samples(data, 1) != read_samples(data, 2)


@pytest.mark.parametrize("val", ["val", "valid", "validation"])
def test_split_folders_are_taken_as_they_are(tmp_path, val):
    data = tree(tmp_path, {"train/Real": 3, "train/FAKE": 4, f"{val}/real": 1, f"{val}/fake": 2, "test/real": 1})
    assert counts(read_samples(data)) == {
        ("train", 0): 3, ("train", 1): 4, ("val", 0): 1, ("val", 1): 2, ("test", 0): 1}  # fmt: skip


def test_only_pictures_count(tmp_path):
    data = tree(tmp_path, {"real": 5, "fake": 5, ".cache": 1})
    (data / "real" / "notes.txt").write_text("not a picture")
    assert len(read_samples(data)) == 10


def test_a_group_never_crosses_a_split_made_here(tmp_path):
    rows = [f"{label}/{n}.jpg,{label},,clip{n // 4}" for label in ("real", "fake") for n in range(40)]
    samples = read_samples(manifest(tmp_path, rows), seed=5)
    splits = {}
    for sample in samples:
        splits.setdefault(sample.group, set()).add(sample.split)
    assert len(splits) == 10 and all(len(names) == 1 for names in splits.values())
    assert {("train", 0), ("train", 1), ("val", 0), ("val", 1)} == set(counts(samples))


@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [
        (
            ["a.jpg,real,train,g", "b.jpg,fake,train,", "c.jpg,real,val,", "d.jpg,fake,val,g"],
            "path,label,split,group",
            "'g'",
        ),
        (["a.jpg,real,tain,"], "path,label,split,group", "tain"),
        (["a.jpg,genuine,train,"], "path,label,split,group", "genuine"),
        (["a.jpg,train"], "path,split", "label"),
        (["a.jpg,real,train,"], "path,label,split,group", "no fake pictures"),
        ([], "path,label", "no real pictures"),
        (["a,real,train,", "./a,fake,test,"], "path,label,split,group", "line 3: a stands in line 2"),
        (["../a.jpg,real,train,"], "path,label,split,group", "inside"),
        (["/etc/hosts,real,train,"], "path,label,split,group", "inside"),
        ([",real,train,"], "path,label,split,group", "inside"),
        (["a"], "path,label,split,group", "label"),
        (["a" * 200_000 + ",real,train,"], "path,label,split,group", "not a CSV file"),
    ],
)
def test_a_wrong_manifest_ends_in_a_sentence(tmp_path, rows, columns, words):
    with pytest.raises(DataError, match=words):
        read_samples(manifest(tmp_path, rows, columns))


def test_a_manifest_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "manifest.csv").write_bytes("path,label\nä.jpg,real\n".encode("utf-16"))
    with pytest.raises(DataError, match="not a CSV file in UTF-8"):
        read_samples(tmp_path)


def test_a_byte_order_mark_and_capitals_do_not_matter(tmp_path):
    rows = [f"{label}{n}.jpg,{label},Train" for label in ("Real", "FAKE") for n in range(5)]
    manifest(tmp_path, rows, "\ufeffpath,label,split")
    assert counts(read_samples(tmp_path)) == {("train", 0): 4, ("val", 0): 1, ("train", 1): 4, ("val", 1): 1}


def test_a_test_set_alone_can_be_measured_but_not_trained_on(tmp_path):
    data = tree(tmp_path, {"test/real": 2, "test/fake": 3})
    assert counts(read_samples(data, needed=("test",))) == {("test", 0): 2, ("test", 1): 3}
    with pytest.raises(DataError, match="split train"):
        read_samples(data)


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        ({"real": 3, "fakes": 3}, "'fakes'"),
        ({"real": 3, "fake": 0}, "no fake pictures"),
        ({"real": 3}, "no fake pictures"),
        ({"train/real": 3, "train/fake": 3, "val/real": 2, "val/fake": 0}, "no fake pictures for the split val"),
        ({"train/real": 3, "train/fake": 3, "extra/real": 1}, "extra"),
        ({"train/real": 3, "train/fake": 3, "train/unknown": 1}, "'unknown'"),
        ({}, "no real pictures"),
    ],
)
def test_a_wrong_tree_ends_in_a_sentence(tmp_path, folders, words):
    with pytest.raises(DataError, match=words) as error:
        read_samples(tree(tmp_path, folders))
    assert "\n" not in str(error.value)


def test_a_missing_folder_ends_in_a_sentence(tmp_path):
    with pytest.raises(DataError, match="no folder"):
        read_samples(tmp_path / "nowhere")


def test_the_data_hash_sees_a_changed_picture(tmp_path):
    data = tree(tmp_path, {"real": 5, "fake": 5})
    before = data_sha256(data, read_samples(data))
    assert before == data_sha256(data, read_samples(data))
    (data / "fake" / "00.jpg").write_bytes(b"another picture")
    assert before != data_sha256(data, read_samples(data))


def two_folders(tmp_path):
    """One with val and test, one with a train split and no val of its own, both with pictures of one name."""
    first = tree(tmp_path / "first", {f"{split}/{label}": 3 for split in ("train", "val", "test")
                                      for label in ("real", "fake")})  # fmt: skip
    later = tree(tmp_path / "later", {"train/real": 4, "train/fake": 2})
    return first, later


def test_several_folders_make_one_data_set_whatever_their_order(tmp_path):
    first, later = two_folders(tmp_path)
    samples = read_samples([first, later], 1)
    assert samples == read_samples([later, first], 1)
    assert counts(samples)["train", 0] == 7 and counts(samples)["train", 1] == 5 and counts(samples)["val", 0] == 3
    names = [sample.name for sample in samples]
    assert len(set(names)) == len(samples) and "later/train/real/00.jpg" in names and "first/test/fake/02.jpg" in names
    assert {sample.name for sample in read_samples(first)} >= {"train/real/00.jpg", "val/fake/01.jpg"}


def test_the_hash_of_several_folders_is_of_them_all(tmp_path):
    first, later = two_folders(tmp_path)
    manifest(tmp_path / "later", ["train/real/00.jpg,real,train,", "train/fake/00.jpg,fake,train,"])
    before = data_sha256([first, later], read_samples([first, later]))
    assert before == data_sha256([later, first], read_samples([later, first]))
    assert before != data_sha256(first, read_samples(first))
    (first / "test" / "fake" / "00.jpg").write_bytes(b"another picture")
    changed = data_sha256([first, later], read_samples([first, later]))
    manifest(tmp_path / "later", ["train/real/01.jpg,real,train,", "train/fake/00.jpg,fake,train,"])
    assert len({before, changed, data_sha256([first, later], read_samples([first, later]))}) == 3


def test_folders_of_one_name_would_not_tell_their_pictures_apart(tmp_path):
    folders = [tree(tmp_path / place / "faces", {"real": 2, "fake": 2}) for place in ("a", "b")]
    with pytest.raises(DataError, match="called faces"):
        read_samples(folders)


def test_a_person_may_be_in_test_and_cross_but_not_in_val_and_test(tmp_path):
    rows = ["a.jpg,real,train,", "b.jpg,fake,train,", "c.jpg,real,val,", "d.jpg,fake,val,", "e.jpg,real,test,p"]
    assert len(read_samples(manifest(tmp_path, [*rows, "f.jpg,real,cross,p"]))) == 6
    with pytest.raises(DataError, match="'p'"):
        read_samples(manifest(tmp_path, [*rows, "f.jpg,real,val,p"]))


def test_the_research_pictures_keep_groups_apart(faces_data):
    samples = read_samples(faces_data)
    assert {sample.split for sample in samples} == {"train", "val", "test", "cross"}
    assert all(sample.path.is_file() for sample in samples[::100])
