"""The tab for one video: the verdict, the timeline, the key frames and the report."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from html import escape
from pathlib import Path

import gradio as gr
from PIL import Image

from deepfake_detect import Detector, VideoError, VideoVerdict
from deepfake_detect.face.crop import crop_box
from deepfake_detect.report import card_texts
from deepfake_detect.report.drawing import DASHES, key_pictures
from deepfake_detect.report.measured_short import videos_in_short
from deepfake_detect.report.names import shown
from deepfake_detect.report.printable import Film as FilmFacts
from deepfake_detect.report.printable import video_result
from deepfake_detect.report.sentences import CAUTION, MAX_SHOWN, explain_video, holding
from deepfake_detect.report.video_card import video_card
from deepfake_detect.report.video_error import video_error, video_rates
from deepfake_detect.report.video_report import video_pdf
from deepfake_detect.verdict import suspicious
from deepfake_detect.video.judge import judge_frames
from deepfake_detect.video.rule import VideoRule
from deepfake_detect.video.video_verdict import key_frames
from page import texts
from page.jobs import JobTexts, JobView, LongJobs, NotJudged, Outcome, Progress
from page.report_files import write_reports
from page.server.address import page_address
from page.server.upload_folder import upload_folder
from page.widgets.components import Film, Pictures, another_button, file_url, name_of, save_whole
from page.widgets.score_card import bars, card_html, notice_html
from page.widgets.timeline import CSS as TIMELINE_CSS
from page.widgets.timeline import SEEK, timeline_html

EXAMPLES = [str(file) for file in sorted(Path(__file__).resolve().parents[2].glob("examples/videos/*.mp4"))]
VIEW_SIDE, VIEW_MARGIN = 96, 0.3  # of the small pictures of faces: pixels, and what is shown on each side
CSS = (
    TIMELINE_CSS
    + """
#film button:is([aria-label^="Trim video"], [aria-label^="Reset video"]) { display: none; }
#film:has(video[data-unplayable]) { display: none; }
body:not(:has(#film video[data-unplayable])) :is(#film-unplayable, #another-film) { display: none; }
body:has(#film-card .failed) #film-unplayable { display: none; }
#stills .grid-wrap { max-height: none; min-height: 0; }
#stills .grid-container { padding-top: 1.6rem; }
#video-tab summary { cursor: pointer; font-weight: 600; padding: 0.4rem 0; }
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
        sha256 = detector.model.sha256
        waiting = f"{texts.VIDEO_WAITING} {videos_in_short(sha256)}".rstrip()
        super().__init__(
            JobTexts(
                waiting=waiting, reading=texts.VIDEO_READING, queued=texts.VIDEO_TURN,
                judging=texts.VIDEO_JUDGING, failed=texts.VIDEO_FAILED, busy=texts.VIDEO_BUSY,
            )
        )  # fmt: skip
        self.detector, self.error, self.rates = detector, video_error(sha256), video_rates(sha256)

    def judge(self, video: str) -> Iterator[VideoVerdict | None]:
        """Judge a video when its turn comes: None at each step on the way, then the verdict. Raises VideoError,
        BusyError."""
        for step in self.take_turn(lambda: judge_frames(self.detector, video)):
            yield step and step[2]

    def check(self, sent: str) -> None:
        if not Path(sent).exists():
            raise NotJudged(texts.GONE)

    def work(self, sent: str) -> Iterator[Progress | Outcome]:
        facts = FilmFacts.of(name_of(sent), sent)  # while it is there: it may be deleted before the end
        try:
            with closing(judge_frames(self.detector, sent, with_stability=True)) as steps:
                for done, total, verdict in steps:  # noqa: B007  the last is the verdict
                    yield Progress(texts.FRAMES_DONE.format(done, total), done / total)
        except VideoError as error:
            raise NotJudged(str(error) if Path(sent).exists() else texts.GONE) from None
        card, hidden = self._card(facts.name, verdict), gr.update(value=None, visible=False)
        yield Outcome(card)
        timeline = _timeline(verdict, VideoRule.of(self.detector.metadata))
        yield Outcome(card, (timeline, _stills(verdict), _scores(verdict), hidden, hidden))
        files = [gr.update(value=file, visible=True) for file in self._files(facts, verdict)]
        yield Outcome(card, (*[gr.skip()] * 3, *files))

    def _card(self, name: str, verdict: VideoVerdict) -> str:
        """The card, and below it, folded, what was judged face by face."""
        card = video_card(verdict, VideoRule.of(self.detector.metadata).unsure_band, self.rates)
        told = [said for said in explain_video(verdict, self.error) if said != CAUTION]
        if len(verdict.faces) > len(DASHES):
            told.append(texts.TIMELINE_MOST.format(len(DASHES)))
        listed = "".join(f"<li>{escape(sentence)}</li>" for sentence in told)
        return (
            f"{card_html(card, shown(name))}<details><summary>{texts.FILM_JUDGED}</summary><ul>{listed}</ul></details>"
        )

    def _files(self, facts: FilmFacts, verdict: VideoVerdict) -> tuple[str, str]:
        """Paths of the JSON report and of the PDF. Raises OSError."""
        model, when = self.detector.model, datetime.now().astimezone()
        told = video_result(facts, verdict, self.error, model, when)
        sheet = video_pdf(facts, verdict, model, when, page_address(), self.rates, self.error)
        return write_reports(facts.name, "video", told, sheet)


def _timeline(verdict: VideoVerdict, rule: VideoRule) -> dict:
    """The most suspicious faces' scores over time. Raises gr.Error where their pictures cannot be written."""
    if not verdict.faces:
        return gr.update(value="", visible=False)
    views = {}
    for face, picture, box in key_frames(verdict, len(DASHES)):
        left, top, right, bottom = crop_box(box, VIEW_MARGIN, picture.shape[1], picture.shape[0])
        view = Image.fromarray(picture).crop((round(left), round(top), round(right), round(bottom)))
        views[face.number] = file_url(save_whole(view.resize((VIEW_SIDE, VIEW_SIDE)), str(upload_folder())))
    drawn = suspicious(verdict.faces)[: len(DASHES)]
    return gr.update(value=timeline_html(verdict, drawn, rule, views), visible=True)


def _stills(verdict: VideoVerdict) -> Pictures:
    """The key frames. Raises gr.Error where they cannot be written."""
    folder = str(upload_folder())
    saved = [(save_whole(picture, folder), caption) for picture, caption in key_pictures(verdict)]
    return Pictures(saved, visible=bool(verdict.faces))


def _scores(verdict: VideoVerdict) -> str:
    """How the scores of the most suspicious faces fare under small changes, in HTML; "" where none was tried."""
    if not verdict.stability:
        return ""
    labels = {face.number: face.label for face in verdict.faces}
    told = "".join(
        f"<h4>{card_texts.FACE.format(number, card_texts.HEADLINES[label])}</h4>{bars(tested, label)}"
        f"<p>{holding(tested, label).replace('**', '')}</p>"
        for number, tested in verdict.stability.items()
        for label in [labels[number]]
    )
    return f"<details><summary>{texts.HOLD_LABEL}</summary><p>{texts.FILM_HOLDS}</p>{told}</details>"


def video_tab(events: Videos) -> gr.Video:
    """Lay out the tab; returns where the video is dropped."""
    with gr.Column(elem_id="video-tab"):
        card = gr.HTML(notice_html("", events.texts.waiting, ""), elem_id="film-card")
        with gr.Row():
            stop = gr.Button(texts.STOP, visible=False, elem_id="stop")
            again = gr.Button(texts.AGAIN, visible=False, elem_id="again")
        another_button(texts.ANOTHER_VIDEO, "film")
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
            with gr.Row():
                report = gr.DownloadButton(texts.JSON_REPORT, elem_id="film-json", visible=False)
                sheet = gr.DownloadButton(texts.PRINTABLE, elem_id="film-sheet", visible=False)
        gr.Examples(EXAMPLES, film, label=texts.VIDEO_EXAMPLES_LABEL, elem_id="film-examples", api_visibility="private")
    view = JobView(card, (timeline, stills, scores, report, sheet), stop, again, area)
    events.connect(film, film.change, view)
    return film
