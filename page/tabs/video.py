"""The tab for one video: the verdict, the timeline and the key frames."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import perf_counter

import gradio as gr
from PIL import Image

from deepfake_detect import Detector, VideoError, VideoVerdict
from deepfake_detect.atomic_files import write_text
from deepfake_detect.face.crop import crop_box
from deepfake_detect.report.drawing import key_pictures
from deepfake_detect.report.names import json_text
from deepfake_detect.report.records import record_of
from deepfake_detect.report.sentences import MAX_SHOWN, explain_video, face_name, headline, holding
from deepfake_detect.report.video_error import video_error
from deepfake_detect.verdict import NO_FACE, suspicious
from deepfake_detect.video.judge import judge_frames
from deepfake_detect.video.video_verdict import key_frames
from page import texts
from page.jobs import JobTexts, JobView, LongJobs, NotJudged, Outcome, Progress
from page.server.upload_folder import upload_folder
from page.widgets.components import Film, Pictures, file_url, name_of, save_whole
from page.widgets.score_card import answer_html, bars, notice_html
from page.widgets.timeline import CSS as TIMELINE_CSS
from page.widgets.timeline import DASHES, SEEK, timeline_html

VIEW_SIDE, VIEW_MARGIN = 96, 0.3  # of the small pictures of faces: pixels, and what is shown on each side
CSS = (
    TIMELINE_CSS
    + """
#film button:is([aria-label^="Trim video"], [aria-label^="Reset video"]) { display: none; }
#film-unplayable { display: none; }
body:has(#film video[data-unplayable]) #film-unplayable { display: block; }
#stills .grid-wrap { max-height: none; min-height: 0; }
#stills .grid-container { padding-top: 1.6rem; }
#film-scores summary { cursor: pointer; font-weight: 600; padding: 0.4rem 0; }
"""
)
# Gradio would show an error in red, although what a browser cannot play is judged all the same.
UNPLAYABLE = """() => document.addEventListener("error", event => {
    if (event.target.matches?.("#film video")) {
        event.stopImmediatePropagation();
        event.target.toggleAttribute("data-unplayable", true);
    }
}, true)"""


class Videos(LongJobs):
    """The events of the tab."""

    def __init__(self, detector: Detector):
        super().__init__(
            JobTexts(
                waiting=texts.VIDEO_WAITING, reading=texts.VIDEO_READING, queued=texts.VIDEO_TURN,
                judging=texts.VIDEO_JUDGING, failed=texts.VIDEO_FAILED, busy=texts.VIDEO_BUSY,
            )
        )  # fmt: skip
        self.detector, self.error = detector, video_error(detector.model.sha256)

    def judge(self, video: str) -> Iterator[VideoVerdict | None]:
        """Judge a video when its turn comes: None at each step on the way, then the verdict. Raises VideoError,
        BusyError."""
        for step in self.take_turn(lambda: judge_frames(self.detector, video)):
            yield step and step[2]

    def check(self, sent: str) -> None:
        """Nothing is seen of a video at once."""

    def work(self, sent: str) -> Iterator[Progress | Outcome]:
        started = perf_counter()
        try:
            with closing(judge_frames(self.detector, sent, with_stability=True)) as steps:
                for done, total, verdict in steps:  # noqa: B007  the last is the verdict
                    yield Progress(texts.FRAMES_DONE.format(done, total), done / total)
        except VideoError as error:
            raise NotJudged(str(error) if Path(sent).exists() else texts.GONE) from None
        record = _json_file(sent, verdict, perf_counter() - started)
        band = self.detector.metadata.unsure_band
        results = _timeline(verdict, band), _stills(verdict), _scores(verdict, band), record
        category = verdict.label if verdict.faces else NO_FACE
        yield Outcome(answer_html(headline(verdict), _sentences(verdict, self.error), category), results)


def _sentences(verdict: VideoVerdict, error: str) -> list[str]:
    drawn = len(DASHES)
    more = [f"The timeline shows the {drawn} most suspicious faces."] if len(verdict.faces) > drawn else []
    return [*explain_video(verdict, error), *more]


def _timeline(verdict: VideoVerdict, band: tuple[float, float]) -> dict:
    """The most suspicious faces' scores over time. Raises gr.Error where their pictures cannot be written."""
    if not verdict.faces:
        return gr.update(value="", visible=False)
    views = {}
    for face, picture, box in key_frames(verdict, len(DASHES)):
        left, top, right, bottom = crop_box(box, VIEW_MARGIN, picture.shape[1], picture.shape[0])
        view = Image.fromarray(picture).crop((round(left), round(top), round(right), round(bottom)))
        views[face.number] = file_url(save_whole(view.resize((VIEW_SIDE, VIEW_SIDE)), str(upload_folder())))
    drawn = suspicious(verdict.faces)[: len(DASHES)]
    return gr.update(value=timeline_html(verdict, drawn, band, views), visible=True)


def _stills(verdict: VideoVerdict) -> Pictures:
    return Pictures(key_pictures(verdict), visible=bool(verdict.faces))


def _scores(verdict: VideoVerdict, band: tuple[float, float]) -> str:
    """How the scores of the most suspicious faces fare under small changes, in HTML; "" where none was tried."""
    if not verdict.stability:
        return ""
    labels = {face.number: face.label for face in verdict.faces}
    told = "".join(
        f"<h4>Face {face_name(number, label)}</h4>{bars(tested, label, band)}"
        f"<p>{holding(tested, label).replace('**', '')}</p>"
        for number, tested in verdict.stability.items()
        for label in [labels[number]]
    )
    return f"<details><summary>{texts.HOLD_LABEL}</summary><p>{texts.FILM_HOLDS}</p>{told}</details>"


def _json_file(video: str, verdict: VideoVerdict, seconds: float) -> str:
    """The command line's record, among the uploads, with which it is deleted."""
    path = Path(tempfile.mkdtemp(dir=upload_folder()), "verdict.json")
    record = record_of(name_of(video), verdict, seconds)
    write_text(path, json_text(record, indent=1) + "\n")
    return str(path)


def video_tab(events: Videos) -> gr.Video:
    """Lay out the tab; returns where the video is dropped."""
    with gr.Column(elem_id="video-tab"):
        card = gr.HTML(notice_html("", texts.VIDEO_WAITING, ""), elem_id="film-card")
        with gr.Row():
            stop = gr.Button(texts.STOP, visible=False, elem_id="stop")
            again = gr.Button(texts.AGAIN, visible=False, elem_id="again")
        film = Film(label="Video", sources=["upload"], height=320, elem_id="film")
        gr.Markdown(texts.UNPLAYABLE, elem_id="film-unplayable")
        with gr.Column(visible=False) as area:
            timeline = gr.HTML(elem_id="timeline", js_on_load=SEEK)
            stills = Pictures(
                label=texts.STILLS_LABEL.format(MAX_SHOWN),
                columns=2, height="auto", object_fit="contain",
                elem_id="stills", buttons=["fullscreen"],
            )  # fmt: skip
            scores = gr.HTML(elem_id="film-scores", elem_classes="scores")
            record = gr.DownloadButton(texts.JSON, elem_id="film-json")
    view = JobView(card, (timeline, stills, scores, record), stop, again, area)
    events.connect(film, film.change, view)
    return film
