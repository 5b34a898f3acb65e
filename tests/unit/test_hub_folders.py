"""The folder of the model repository, and how folders are made: whole or not at all, and nobody's work is replaced."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from client_files import with_int8, write_int8
from commands import here
from project import ROOT

from deepfake_detect import Detector, Model, __version__
from deepfake_detect.face.crop import RESAMPLING
from deepfake_detect.model.onnx_model import CONTRACT
from export import ExportError, folders
from export.folders import whole_folder
from export.repository import FLOAT_SHA256, INT8, build_model_repo

pytestmark = pytest.mark.slow

MODEL = (ROOT / "model.onnx").read_bytes()


@pytest.fixture
def project(tmp_path):
    (tmp_path / "root").mkdir()
    return with_int8(tmp_path / "root")


def read(file):
    return json.loads(file.read_text())


def test_the_folder_holds_what_clients_look_for(repository):
    assert (repository / "model.onnx").read_bytes() == (repository / "onnx" / "model.onnx").read_bytes() == MODEL
    Detector(repository / "onnx" / "model_quantized.onnx")
    assert {p.relative_to(repository).as_posix() for p in repository.glob("*")} == {
        "LICENSE.md", "README.md", "config.json", "manifest.json", "model.onnx", "onnx", "preprocessor_config.json",
        "reports", "resize.mjs",
    }  # fmt: skip
    for split in ("test", "cross"):
        report = read(repository / "reports" / "shipped" / split / "report.json")
        assert report["model"]["sha256"] == hashlib.sha256(MODEL).hexdigest()


def test_the_configurations_are_those_of_the_model(repository):
    m = Model(ROOT / "model.onnx").metadata
    config, processor = read(repository / "config.json"), read(repository / "preprocessor_config.json")
    assert config["model_type"] == "mobilenet_v2" and config["image_size"] == m.size
    assert config["id2label"] == {"0": "real", "1": "fake"} and config["label2id"] == {"real": 0, "fake": 1}
    own = config["mobile_deepfake_detector"]
    assert (own["temperature"], own["unsure_band"]) == (m.temperature, list(m.unsure_band))
    assert processor["size"] == {"height": m.size, "width": m.size}
    assert processor["resample"] == RESAMPLING[m.resampling].value
    assert processor["rescale_factor"] == 1 / 255 and processor["do_rescale"] is processor["do_resize"] is True
    assert processor["do_normalize"] is processor["do_center_crop"] is False


def test_the_manifest_vouches_for_every_file(repository):
    manifest = read(repository / "manifest.json")
    assert (manifest["contract"], manifest["version"]) == (CONTRACT, __version__)
    files = {p.relative_to(repository).as_posix(): p for p in repository.rglob("*") if p.is_file()}
    assert list(manifest["files"]) == sorted(files.keys() - {"manifest.json"})
    for name, listed in manifest["files"].items():
        content = files[name].read_bytes()
        assert listed == {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def test_the_card_s_links_hold_in_the_folder(repository):
    links = re.findall(r"\]\(((?!http)[^)#]+)\)", (repository / "README.md").read_text())
    assert len(links) >= 8 and all((repository / link).is_file() for link in links)


def test_without_the_int8_file_nothing_is_made(project, tmp_path):
    (project / INT8).unlink()
    with pytest.raises(ExportError, match=r"no model_int8.onnx .* `python -m export quantize`"):
        build_model_repo(tmp_path / "out", root=project)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"recipe_sha256": "0" * 64}, "recipe_sha256 does not fit"),
        ({FLOAT_SHA256: "0" * 64}, "float_sha256 does not fit"),  # trained again, by the same recipe on the same data
        ({FLOAT_SHA256: None}, "float_sha256 does not fit"),
        ({FLOAT_SHA256: "0" * 64, "data_sha256": "0" * 64}, "data_sha256, float_sha256 do not fit"),
    ],
)
def test_an_int8_file_of_another_network_is_refused(project, tmp_path, properties, said):
    write_int8(project / INT8, **properties)
    with pytest.raises(ExportError, match=f"{said}. Run `python -m export quantize`"):
        build_model_repo(tmp_path / "out", root=project)
    assert not (tmp_path / "out").exists()
    write_int8(project / INT8)
    build_model_repo(tmp_path / "out", root=project)


def make(out, text="one"):
    with whole_folder(out, "a.txt") as folder:
        (folder / "a.txt").write_text(text)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_of_its_own_is_replaced_as_a_whole(tmp_path):
    out = tmp_path / "out"
    make(out)
    (out / "__pycache__").mkdir()
    (out / "__pycache__" / "app.pyc").write_bytes(b"what running it leaves behind")
    make(out, "two")
    assert (out / "a.txt").read_text() == "two" and names(out) == ["a.txt", "manifest.json"]
    assert names(tmp_path) == ["out"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    make(tmp_path / "out")
    assert names(tmp_path / "out") == ["a.txt", "manifest.json"] and names(tmp_path) == ["out"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda out: (out / "notes.txt").write_text("mine"), "notes.txt differs"),
        (lambda out: (out / "a.txt").write_text("mine"), "a.txt differs"),
        (lambda out: (out / "manifest.json").unlink(), "no manifest.json"),
        (lambda out: (out / "manifest.json").write_text("[]"), "no manifest.json"),
        (lambda out: (out / "a.txt").rename(out / "b.txt"), "a.txt differs"),
    ],
)
def test_a_folder_that_somebody_changed_is_left_alone(tmp_path, change, said):
    out = tmp_path / "out"
    make(out)
    change(out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ExportError, match=said):
        make(out, "two")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before and names(tmp_path) == ["out"]


def test_a_folder_of_another_kind_and_a_file_are_left_alone(tmp_path, repository):
    done = here("export", "space", "--out", repository)
    assert done.returncode == 2 and "it holds no app.py" in done.stderr and len(done.stderr.splitlines()) == 1
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ExportError, match="is a file"):
        make(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_what_fails_on_the_way_leaves_nothing(tmp_path, monkeypatch):
    make(tmp_path / "out")

    def full(*words):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        make(tmp_path / "out", "two")
    assert names(tmp_path) == ["out"] and (tmp_path / "out" / "a.txt").read_text() == "one"


def test_what_is_interrupted_at_the_end_puts_the_former_folder_back(tmp_path, monkeypatch):
    make(tmp_path / "out")
    replace = folders.os.replace

    def interrupted(source, target):
        if Path(source).name.startswith(".partial-"):
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(folders.os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path / "out", "two")
    assert names(tmp_path) == ["out"] and (tmp_path / "out" / "a.txt").read_text() == "one"


def test_a_link_to_a_folder_stays_one(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    for text in ("one", "two"):
        make(tmp_path / "out", text)
        assert (tmp_path / "out").is_symlink() and (tmp_path / "real" / "a.txt").read_text() == text
    assert names(tmp_path) == ["out", "real"]


def test_a_folder_in_a_place_that_does_not_exist_ends_in_a_sentence(tmp_path):
    done = here("export", "space", "--out", tmp_path / "nowhere" / "space")
    assert done.returncode == 2 and "No such file or directory" in done.stderr and len(done.stderr.splitlines()) == 1
