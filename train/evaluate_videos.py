"""A model file against clips, judged the way videos are served: file -> `judge_video` -> verdict."""

import argparse
from os import cpu_count
from pathlib import Path

from deepfake_detect.detector import Detector
from deepfake_detect.video.rule import VideoRule
from train.clip_figures import figures, of_split
from train.clip_scores import ScoredClips, score_clips, scores_file
from train.clips import Clips, read_clips
from train.command_line import add_docs, add_model, add_out
from train.criteria import VIDEO_CRITERIA, criteria_of
from train.data import DataError
from train.report import check_marks, update_docs, write_report
from train.timing import machine
from train.videos_report import draw_videos, short_markdown, videos_markdown

SPLITS = ("test", "cross", "val")
BAR = ("ffpp", "c23")  # source and compression of what the criteria ask for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    add_clip_arguments(parser)
    add_out(parser, "for report.json, report.md and pictures", required=False)
    add_docs(parser)


def add_clip_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of what to judge, and by which model."""
    add_model(parser)
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="clips with a manifest.csv, see collect"
    )
    parser.add_argument("--trained-on", type=Path, nargs="*", default=[], metavar="DIR",
                        help="data folders of the training: clips of their groups are left out")  # fmt: skip
    parser.add_argument("--scores", type=Path, metavar="DIR", help="where what was judged is kept (default: the data)")


def scored(args: argparse.Namespace, detector: Detector, splits: tuple[str, ...]) -> tuple[Clips, ScoredClips]:
    """The clips of some splits, judged now or by an earlier call; raises DataError where there are none."""
    clips = read_clips(args.data, args.trained_on)
    chosen = [clip for clip in clips.chosen if clip.split in splits]
    if not chosen:
        raise DataError(f"{args.data} has no clips of {' or '.join(splits)} that the model was not trained on.")
    return clips, score_clips(detector, chosen, scores_file(args.scores or args.data, detector))


def run(args: argparse.Namespace) -> int:
    """The command `python -m train evaluate-videos`; returns its exit status."""
    if args.docs:
        check_marks(args.docs, "videos")
    detector = Detector(args.model)
    clips, judged = scored(args, detector, SPLITS)
    report = evaluate(detector, clips, judged)
    print(short_markdown(report))
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        draw_videos(report, args.out)
        write_report(args.out, "report", report, videos_markdown(report))
    if args.docs:
        update_docs(args.docs, "videos", short_markdown(report))
    return 0


def evaluate(detector: Detector, clips: Clips, judged: ScoredClips) -> dict:
    """The report on the clips that were judged.

    Returns:
        {"model", "rule": see `VideoRule`, "fitted": whether the model file carries it, "data_sha256", "left_out": clips
        of groups that were trained on, "unreadable", "splits": {name: see `train.clip_figures.of_split`, and "bar": the
        figures of BAR, where there are such clips}, "verdicts": of every clip, "jobs": clips judged at once,
        "machine", "criteria"}.

    Raises:
        DataError: a split lacks a class.
    """
    metadata = detector.metadata
    rule = VideoRule.of(metadata)
    of = {"sha256": detector.model.sha256, "recipe": metadata.recipe, "recipe_sha256": metadata.recipe_sha256}
    report: dict = {
        "model": of, "rule": rule.to_dict(), "fitted": metadata.video is not None, "data_sha256": clips.sha256,
        "left_out": len(clips.trained), "unreadable": judged.unreadable, "splits": {}, "verdicts": [],
    }  # fmt: skip
    for split in SPLITS:
        places = [n for n, clip in enumerate(judged.clips) if clip.split == split]
        own, scores = [judged.clips[n] for n in places], [judged.scores[n] for n in places]
        if not own:
            continue
        if {clip.label for clip in own} != {0, 1}:
            raise DataError(f"The split {split} needs readable clips of both classes.")
        report["splits"][split] = of_split(own, scores, rule, metadata.unsure_band)
        said = [one.decided(rule) for one in scores]
        bar = [n for n, clip in enumerate(own) if (clip.source, clip.compression) == BAR]
        if bar:
            report["splits"][split]["bar"] = figures([own[n] for n in bar], [said[n] for n in bar])
        report["verdicts"] += [
            {"clip": clip.name, "split": split, "label": ("real", "fake")[clip.label], "method": clip.method,
             "compression": clip.compression, "said": label, "p_fake": p_fake, "spent": one.spent}
            for clip, one, (label, p_fake) in zip(own, scores, said, strict=True)
        ]  # fmt: skip
    report |= {"jobs": cpu_count(), "machine": machine()}
    report["criteria"] = criteria_of({"split": "test", "videos": report["splits"]}, VIDEO_CRITERIA)
    return report
