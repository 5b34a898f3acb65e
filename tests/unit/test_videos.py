"""Clips judged whole, kept frame by frame, measured, and the rule that is fitted on them."""

import csv
import json
from argparse import Namespace
from dataclasses import replace

import numpy as np
import onnx
import pytest
from commands import here
from films import film, scene
from project import ROOT

from deepfake_detect import Detector, Model, judge_video
from deepfake_detect.report.measured_short import videos_in_short
from deepfake_detect.report.video_error import NOT_MEASURED, video_error
from deepfake_detect.verdict import FAKE, REAL, UNSURE
from deepfake_detect.video import reader
from deepfake_detect.video.rule import VideoRule
from deepfake_detect.video.video_verdict import FaceObservation, JudgedFrame
from train import clip_scores, evaluate_videos, video_rule
from train.clip_figures import PLACES, figures, single_frames
from train.clip_scores import ClipScores, ScoredClips, score_clips, scores_file
from train.clips import Clip, read_clips
from train.data import DataError
from train.metrics import grouped_intervals, wilson

COLUMNS = ("path", "split", "label", "source", "method", "compression", "group")


@pytest.fixture(scope="module")
def clips(tmp_path_factory, person):
    """A folder of clips: red faces are fakes, blue ones real; of each split one of each, and one to be left out."""
    folder, rows = tmp_path_factory.mktemp("clips"), []
    for number, (split, label) in enumerate([("test", "real"), ("test", "fake"), ("val", "real"), ("val", "fake"),
                                             ("cross", "real"), ("cross", "fake"), ("train", "fake")]):  # fmt: skip
        portrait = person if label == "fake" else person[..., ::-1]
        film(folder / f"{number}.mp4", [scene((portrait, 150 + n, 10)) for n in range(4)])
        method = "original" if label == "real" else "Deepfakes"
        rows.append((f"{number}.mp4", split, label, "ffpp", method, "c23", f"pair {number}"))
    (folder / "broken.mp4").write_bytes(b"no film")
    rows.append(("broken.mp4", "test", "fake", "ffpp", "Face2Face", "c23", "pair 9"))
    write_manifest(folder, rows)
    return folder


def write_manifest(folder, rows, columns=COLUMNS) -> None:
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def arguments(model, data, **more) -> Namespace:
    return Namespace(
        **{"model": model, "data": data, "trained_on": [], "scores": None, "out": None, "docs": None} | more
    )


def clip(label: int, group: str, name: str = "") -> Clip:
    return Clip(ROOT, name, label, "val", "ffpp", "Deepfakes" if label else "original", "c23", group)


def scores(*p_fake: float, sides: tuple[int, ...] = ()) -> ClipScores:
    """Of a clip with one face, frame by frame."""
    boxes = [(0, 0, side, side) for side in sides or (100,) * len(p_fake)]
    frames = [JudgedFrame(n / 10, (FaceObservation(1, box, 0.9, p, 0.1),))
              for n, (p, box) in enumerate(zip(p_fake, boxes, strict=True))]  # fmt: skip
    return ClipScores(UNSURE, 0.5, 1.0, 1.0, tuple(frames))


# What is kept


def test_what_is_kept_gives_the_verdict_of_the_product_again(clips, by_colour, tmp_path):
    chosen = [one for one in read_clips(clips).chosen if one.name != "broken.mp4"]
    file = tmp_path / "scores.jsonl"
    score_clips(by_colour, chosen, file)
    again = score_clips(by_colour, chosen, file)
    rule = VideoRule.of(by_colour.metadata)
    for one, kept in zip(again.clips, again.scores, strict=True):
        verdict = judge_video(by_colour, one.path)
        assert kept.decided(rule) == (verdict.label, verdict.p_fake) == (kept.label, kept.p_fake)
        assert kept.timeline == verdict.timeline and kept.seconds == verdict.seconds and kept.spent > 0


def test_another_rule_decides_as_a_model_that_carries_it(clips, by_colour, tmp_path):
    chosen = [one for one in read_clips(clips).chosen if one.split == "cross"]
    rule = VideoRule((0.02, 0.98), trim=0.3, size_power=1.0, sharpness_power=0.5, temperature=2.0)
    video_rule.write_rule(by_colour, rule, tmp_path / "ruled.onnx")
    ruled = Detector(tmp_path / "ruled.onnx")
    assert VideoRule.of(ruled.metadata) == rule and scores_file(clips, ruled) == scores_file(clips, by_colour)
    kept = score_clips(by_colour, chosen, tmp_path / "scores.jsonl")
    for one, own in zip(kept.clips, kept.scores, strict=True):
        verdict = judge_video(ruled, one.path)
        assert own.decided(rule) == (verdict.label, verdict.p_fake) != own.decided(VideoRule.of(by_colour.metadata))


def test_judging_goes_on_where_it_was_cut_off(clips, by_colour, tmp_path, monkeypatch):
    chosen, file = read_clips(clips).chosen, tmp_path / "scores.jsonl"
    whole = score_clips(by_colour, chosen, file)
    assert [one["clip"] for one in whole.unreadable] == ["broken.mp4"] and whole.unreadable[0]["code"]
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:2]) + lines[2][:50])
    judged = []

    def counted(detector, path, **rest):
        judged.append(path)
        return judge_video(detector, path, **rest)

    monkeypatch.setattr(clip_scores, "judge_video", counted)
    again = score_clips(by_colour, chosen, file)
    assert len(judged) == len(chosen) - 2 and len(file.read_bytes().splitlines()) == len(chosen)
    assert [replace(one, spent=0) for one in again.scores] == [replace(one, spent=0) for one in whole.scores]
    score_clips(by_colour, chosen, file)
    assert len(judged) == len(chosen) - 2
    file.write_text("[]\n")
    with pytest.raises(DataError, match="delete it"):
        score_clips(by_colour, chosen, file)


def test_a_clip_that_took_too_long_is_judged_again_another_time(clips, by_colour, tmp_path, monkeypatch):
    one, file = read_clips(clips).chosen[:1], tmp_path / "scores.jsonl"
    monkeypatch.setattr(reader, "MAX_WORK_SECONDS", -1)
    assert [row["code"] for row in score_clips(by_colour, one, file).unreadable] == ["too_slow"]
    monkeypatch.undo()
    assert len(score_clips(by_colour, one, file).scores) == 1


# Which clips


def test_clips_of_groups_that_were_trained_on_are_left_out(clips, tmp_path):
    assert [one.name for one in read_clips(clips).trained] == ["6.mp4"]
    write_manifest(tmp_path, [("a.jpg", "train", "real", "pair 0"), ("b.jpg", "test", "real", "pair 1")],
                   ("path", "split", "label", "group"))  # fmt: skip
    left = read_clips(clips, [tmp_path])
    assert [one.name for one in left.trained] == ["0.mp4", "6.mp4"] and len(left.chosen) == 6


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("a.mp4", "test", "forged", "", "", "", "g"), "none of those known"),
        (("a.mp4", "later", "real", "", "", "", "g"), "none of those known"),
        (("a.mp4", "test", "real", "", "", "", ""), "is missing"),
        (("a.mp4",), "lacks values"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused(tmp_path, row, words):
    write_manifest(tmp_path, [row])
    with pytest.raises(DataError, match=words):
        read_clips(tmp_path)


def test_a_group_is_not_fitted_on_and_measured(tmp_path):
    rows = [(f"{split}.mp4", split, "real", "", "", "", "one pair") for split in ("val", "test")]
    write_manifest(tmp_path, rows)
    with pytest.raises(DataError, match="one pair"):
        read_clips(tmp_path)
    with pytest.raises(DataError, match=r"There is no .*manifest\.csv"):
        read_clips(tmp_path / "nowhere")


# Figures


def test_figures_count_what_was_said():
    own = [clip(0, "a"), clip(0, "b"), clip(1, "a"), clip(1, "b"), clip(1, "b")]
    row = figures(own, [(REAL, 0.1), (FAKE, 0.9), (FAKE, 0.95), (UNSURE, 0.5), (REAL, 0.05)])
    assert (row["clips"], row["real"], row["fake"], row["groups"]) == (5, 2, 3, 2)
    assert row["auc"] == pytest.approx(3 / 6) and row["decided"]["coverage"] == 0.8
    assert row["decided"]["accuracy"] == 0.5
    assert row["false_alarms"] == {"rate": 0.5, "wrong": 1, "of": 2, "interval": wilson(1, 2)}
    assert row["found"]["right"] == 1 and row["found"]["of"] == 3
    fakes = figures(own[2:], [(FAKE, 0.9)] * 3)
    assert fakes["false_alarms"] is None and "auc" not in fakes


def test_single_frames_are_judged_as_pictures():
    own = [clip(0, "a"), clip(1, "b")]
    steady, wild = scores(*[0.2] * 32), scores(*[0.99, 0.99, 0.01, 0.01] * 8)
    found = single_frames(own, [steady, wild], (0.3, 0.7))
    assert found["best"]["auc"] == 1 and 0 < found["mean"]["auc"] < 1
    assert found["most suspicious"]["auc"] == 1 == found["average"]["auc"] and found["average"]["coverage"] == 0.5
    assert found["mean"]["false_alarms"] == 0 and PLACES < 32


def test_intervals_draw_whole_groups():
    p_fake, labels = np.array([0.1, 0.9, 0.8, 0.2] * 5), np.array([0, 1, 0, 1] * 5)
    pairs = np.repeat([f"g{n}" for n in range(10)], 2)
    low, high = grouped_intervals(p_fake, labels, pairs)["auc"]
    assert low < 0.45 and high > 0.95
    assert grouped_intervals(p_fake, labels, np.repeat("one", 20)) == {}
    assert wilson(0, 10)[1] == pytest.approx(0.278, abs=0.001) and wilson(0, 0) == [0.0, 1.0]


# The rule


def judged(*rows: tuple[int, str, ClipScores]) -> ScoredClips:
    return ScoredClips([clip(label, group) for label, group, _ in rows], [one for _, _, one in rows], [])


def test_weights_are_taken_where_they_help():
    """Small faces look alike, large ones do not."""
    sides, rng = (50,) * 8 + (400,) * 8, np.random.default_rng(0)
    rows = []
    for number in range(40):
        label = number % 2
        large = 0.75 if label else 0.25
        p_fake = [*np.clip(rng.normal(0.5, 0.3, 8), 0.02, 0.98), *np.clip(rng.normal(large, 0.02, 8), 0.02, 0.98)]
        rows.append((label, f"g{number // 4}", scores(*map(float, p_fake), sides=sides)))
    rule, tried = video_rule.fit_rule(judged(*rows), (0.2, 0.8), 0.95)
    assert rule.size_power > 0 and rule.sharpness_power == 0 and rule.temperature < 1
    assert len(tried) == len(video_rule.TRIMS) * len(video_rule.POWERS) ** 2
    assert [one["loss"] for one in tried] == sorted(one["loss"] for one in tried)


def test_where_nothing_helps_the_rule_stays_plain():
    rng, rows = np.random.default_rng(1), []
    for number in range(24):
        label = number % 2
        p_fake = float(np.clip(rng.normal(0.6 if label else 0.4, 0.2), 0.02, 0.98))
        rows.append((label, f"g{number // 4}", scores(*[p_fake] * 16)))
    rule, _ = video_rule.fit_rule(judged(*rows), (0.2, 0.8), 0.95)
    assert (rule.trim, rule.size_power, rule.sharpness_power) == (0.1, 0, 0)


def test_one_group_or_one_class_is_not_enough():
    one = scores(0.5, 0.5, 0.5)
    for rows in ([(0, "a", one), (1, "a", one)], [(1, "a", one), (1, "b", one)]):
        with pytest.raises(DataError, match="several groups"):
            video_rule.fit_rule(judged(*rows), (0.2, 0.8), 0.95)


def test_the_band_keeps_false_alarms_down_and_moves_in_only_where_clips_speak_for_it():
    real, fake = np.linspace(0.05, 0.6, 40), np.linspace(0.45, 0.99, 40)
    p_fake, labels = np.concatenate([real, fake]), np.repeat([0, 1], 40)
    low, high = video_rule.video_band(p_fake, labels, (0.1, 0.9), 0.95)
    assert (real >= high).mean() <= video_rule.FALSE_ALARMS and (fake <= low).mean() <= 0.05 + 1e-9
    assert 0.4 < low <= 0.5 < high < 0.7
    few = np.concatenate([real[::5], fake[::5]]), np.repeat([0, 1], 8)
    assert video_rule.video_band(*few, (0.1, 0.9), 0.95) == (0.1, 0.9)
    assert video_rule.video_band(1 - p_fake, labels, (0.1, 0.9), 0.95)[0] < 0.1


# The commands


def test_the_commands_measure_fit_and_measure_again(clips, by_colour, tmp_path):
    docs, out = tmp_path / "docs.md", tmp_path / "out"
    docs.write_text("before\n<!-- report: videos -->\n<!-- end of report -->\nafter\n")
    args = arguments(by_colour.model.path, clips, out=out, docs=docs, scores=tmp_path)
    assert evaluate_videos.run(args) == 0
    report = json.loads((out / "report.json").read_text())
    assert report["model"]["sha256"] == by_colour.model.sha256 and not report["fitted"]
    assert set(report["splits"]) == {"test", "cross", "val"} and report["left_out"] == 1
    assert report["splits"]["test"]["all"]["auc"] == 1 and report["splits"]["test"]["bar"]["clips"] == 2
    assert [one["met"] for one in report["criteria"]] == [True, True]
    assert (
        "Deepfakes" in docs.read_text() and docs.read_text().endswith("after\n") and "| **test** |" in docs.read_text()
    )
    assert "1 could not be read" in (out / "report.md").read_text()
    assert {file.name for file in out.glob("*.png")} == {"roc.png", "scores.png"}
    said = video_error(by_colour.model.sha256, out)
    assert (
        "of 2 with people kept apart from training, 100.0 % were decided" in said
        and "0 of the 1 real ones called fake (0.0 %)" in said
    )
    counted = "Of 2 videos with people kept apart from training it said “Not sure” to 0; of 1 fakes it called 1"
    assert counted in videos_in_short(by_colour.model.sha256, out)
    assert videos_in_short("0" * 64, out) == videos_in_short(by_colour.model.sha256, tmp_path) == ""
    assert video_error("0" * 64, out) == video_error(by_colour.model.sha256, tmp_path) == NOT_MEASURED


def test_a_model_file_is_written_with_its_rule_and_nothing_else_changed(by_colour, tmp_path):
    proto = onnx.load(by_colour.model.path)
    onnx.helper.set_model_props(proto, {e.key: e.value for e in proto.metadata_props} | {"float_sha256": '"abc"'})
    onnx.save(proto, tmp_path / "model.onnx")
    rule = VideoRule((0.25, 0.75), trim=0.2, temperature=0.5)
    video_rule.write_rule(Detector(tmp_path / "model.onnx"), rule, tmp_path / "model.onnx")
    written = onnx.load(tmp_path / "model.onnx")
    kept = {entry.key: entry.value for entry in written.metadata_props}
    assert kept["float_sha256"] == '"abc"' and written.graph == proto.graph
    assert replace(Model(tmp_path / "model.onnx").metadata, video=None) == by_colour.metadata


def test_the_example_is_a_folder_of_clips(tmp_path):
    example = read_clips(ROOT / "examples" / "clips")
    assert {one.label for one in example.chosen} == {0, 1} and not example.trained
    assert sum(one.path.stat().st_size for one in example.chosen) < 100_000
    done = here("train", "evaluate-videos", "--data", ROOT / "examples" / "clips", "--scores", tmp_path)
    assert done.returncode == 0 and "| **test** | 1 / 1 |" in done.stdout, done.stderr
    refused = here("train", "video-rule", "--data", ROOT / "examples" / "clips", "--scores", tmp_path)
    assert refused.returncode == 2 and "no clips of val" in refused.stderr and "Traceback" not in refused.stderr
