"""The tab for one video: the verdict, the timeline and the key frames."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import perf_counter

import gradio as gr
import pandas as pd

from detect import Detector, VideoError, VideoVerdict, texts
from detect.explain import MAX_SHOWN, WORDS, explain_video, headline
from detect.files import write_text
from detect.records import record_of
from detect.show import COLOURS, LINES, key_pictures
from detect.turns import BusyError, Turns
from detect.verdict import FAKE, REAL, suspicious
from detect.video import judge_frames
from page.listeners import while_heard
from page.phone import scroll_to
from page.runs import RunEnded, Runs
from page.uploads import upload_folder

TIMELINE_COLUMNS = ("seconds", "chance of being fake", "face")
LOOK = 0.5  # seconds between two looks whether the turn has come
FAINT = "99"  # opacity of the lines at the ends of the unsure band, appended to a colour
CSS = """
#film button:is([aria-label^="Trim video"], [aria-label^="Reset video"]) { display: none; }
#film-unplayable { display: none; }
body:has(#film video[data-unplayable]) #film-unplayable { display: block; }
#stills .grid-wrap { max-height: none; min-height: 0; }
#stills .grid-container { padding-top: 1.6rem; }
"""
# Gradio would show an error in red, although what a browser cannot play is judged all the same.
UNPLAYABLE = """() => document.addEventListener("error", event => {
    if (event.target.matches?.("#film video")) {
        event.stopImmediatePropagation();
        event.target.toggleAttribute("data-unplayable", true);
    }
}, true)"""
_NOTHING = None, None, None  # in place of timeline, key frames and record


class Videos:
    """The events of the tab, and the videos' turns, which the endpoint shares."""

    def __init__(self, detector: Detector):
        self.detector = detector
        self.turns = Turns(texts.MAX_WAITING, texts.VIDEO_BUSY)
        self.runs = Runs()

    def judge(self, video: str) -> Iterator[VideoVerdict | None]:
        """Judge a video when its turn comes: None at each step on the way, then the verdict. Raises VideoError,
        BusyError."""
        with self.turns.place() as place:
            while not place.comes(LOOK):
                yield None
            with closing(judge_frames(self.detector, video)) as steps:
                for _, _, verdict in steps:
                    yield verdict

    def begin(self, video: str | None, earlier: int | None) -> tuple:
        """A new video, or none: the earlier run ends in silence, and what was shown of it is taken away. The last value
        is the new run, whose change calls `watch`; see there for the others."""
        self.runs.replace(earlier)
        hidden = gr.update(visible=False)
        if video is None:
            return "", texts.VIDEO_WAITING, *_NOTHING, hidden, hidden, hidden, None
        shown = gr.update(visible=True)
        return f"## {texts.VIDEO_BEGUN}", "", *_NOTHING, shown, hidden, hidden, self.runs.open()

    def watch(self, video: str | None, run: int | None) -> Iterator[tuple]:
        """Headline with the progress, explanation, timeline, key frames, file with the record; whether to show the
        button that stops, the one that judges again, and the results. Nothing where nothing was begun."""
        if run is None or video is None:
            return
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        band = self.detector.metadata.unsure_band
        try:
            with self.runs.going_on(run), self.turns.place() as place:
                while not place.comes(LOOK):
                    self.runs.check(run)
                    yield f"## {texts.VIDEO_TURN}", "", *_NOTHING, shown, hidden, hidden
                started = perf_counter()
                with closing(judge_frames(self.detector, video)) as steps:
                    for step in steps:
                        done, total, verdict = step
                        self.runs.check(run)
                        said = texts.FRAMES_DONE.format(done, total)
                        yield f"## {texts.VIDEO_JUDGING}", said, *_NOTHING, shown, hidden, hidden
                record = _json_file(video, verdict, perf_counter() - started)
                results = _sentences(verdict), _timeline(verdict, band), _stills(verdict), record
                self.runs.check(run)
        except (VideoError, BusyError) as error:
            again = gr.update(visible=isinstance(error, BusyError))
            why = str(error) if Path(video).exists() else texts.GONE
            yield f"## {texts.VIDEO_FAILED}", why, *_NOTHING, hidden, again, hidden
            return
        except RunEnded as ended:
            if ended.stopped:
                yield f"## {texts.STOPPED}", texts.VIDEO_WAITING, *_NOTHING, hidden, shown, hidden
            return
        except OSError:
            yield f"## {texts.VIDEO_FAILED}", texts.NO_ROOM, *_NOTHING, hidden, shown, hidden
            return
        yield f"## {headline(verdict)}", *results, hidden, hidden, shown

    def settle(self, run: int | None) -> tuple:
        """After a run: where no other has come, but what it judged was taken away meanwhile, nothing is shown of it."""
        return self.begin(None, None)[:-1] if run is None else (gr.skip(),) * 8

    def fail(self) -> tuple:
        """A run that could not go on, for a reason that is in the server's log or because its queue is full."""
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        return f"## {texts.VIDEO_FAILED}", texts.SERVER_FAILED, *_NOTHING, hidden, shown, hidden

    def stop(self, run: int | None) -> tuple:
        """Ask a run to stop; headline, and whether to show the button. The run itself says when it has: what it was
        about to show would otherwise overtake that."""
        if not self.runs.stop(run):  # it has just ended
            return gr.skip(), gr.skip()
        return f"## {texts.STOPPING}", gr.update(visible=False)


def _sentences(verdict: VideoVerdict) -> str:
    more = [f"The timeline shows the {len(LINES)} most suspicious faces."] if len(verdict.faces) > len(LINES) else []
    return "\n".join(f"- {sentence}" for sentence in [*explain_video(verdict), *more])


def _timeline(verdict: VideoVerdict, band: tuple[float, float]) -> gr.LinePlot:
    """The most suspicious faces' scores over time, between the ends of the unsure band."""
    drawn = [face.number for face in suspicious(verdict.faces)[: len(LINES)]]
    rows = [
        (moment.seconds, face.p_fake, f"Face {face.face}")
        for moment in verdict.timeline
        for face in moment.faces
        if face.face in drawn
    ]
    colours = {f"Face {number}": colour for number, colour in zip(drawn, LINES, strict=False)}
    legend = list(colours)
    for label, chance in zip((REAL, FAKE), band, strict=True):
        rows += [(seconds, chance, WORDS[label]) for seconds in (0, verdict.seconds)]
        colours[WORDS[label]] = COLOURS[label] + FAINT
    return gr.LinePlot(
        pd.DataFrame(rows, columns=TIMELINE_COLUMNS), color_map=colours, colors_in_legend=legend,
        caption=texts.TIMELINE_BAND.format(*band), visible=bool(verdict.faces),
    )  # fmt: skip


def _stills(verdict: VideoVerdict) -> gr.Gallery:
    return gr.Gallery(key_pictures(verdict), visible=bool(verdict.faces))


def _json_file(video: str, verdict: VideoVerdict, seconds: float) -> str:
    """The command line's record, among the uploads, with which it is deleted."""
    path = Path(tempfile.mkdtemp(dir=upload_folder()), "verdict.json")
    record = record_of(Path(video).name, verdict, seconds)
    write_text(path, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    return str(path)


def video_tab(events: Videos) -> gr.Video:
    """Lay out the tab; returns where the video is dropped."""
    with gr.Row():
        with gr.Column():
            film = gr.Video(label="Video", sources=["upload"], height=380, elem_id="film")
            stop = gr.Button(texts.STOP, visible=False, elem_id="stop")
            again = gr.Button(texts.AGAIN, visible=False, elem_id="again")
            gr.Markdown(texts.UNPLAYABLE, elem_id="film-unplayable")
        with gr.Column():
            title = gr.Markdown(elem_id="film-headline")
            why = gr.Markdown(texts.VIDEO_WAITING, elem_id="film-why", latex_delimiters=[])
            with gr.Column(visible=False) as results:
                seconds, chance, face = TIMELINE_COLUMNS
                timeline = gr.LinePlot(x=seconds, y=chance, color=face, y_lim=[0, 1], height=320, elem_id="timeline")
                stills = gr.Gallery(
                    label=texts.STILLS_LABEL.format(MAX_SHOWN),
                    columns=2, height="auto", object_fit="contain",
                    elem_id="stills", buttons=["fullscreen"],
                )  # fmt: skip
                record = gr.DownloadButton(texts.JSON, elem_id="film-json")
    shown = [title, why, timeline, stills, record, stop, again, results]
    # Videos take turns by themselves: in Gradio's own queue, those that wait would take the places of photographs.
    private = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
    unqueued = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
    begun = gr.State()
    watched = begun.change(while_heard(events.watch), [film, begun], shown, trigger_mode="multiple", **private)
    beginning = gr.on([film.change, again.click], events.begin, [film, begun], [*shown, begun], **private)
    stop.click(events.stop, begun, [title, stop], **private)
    for event in (beginning, watched):
        event.failure(events.fail, None, shown, **unqueued)
    watched.then(events.settle, begun, shown, **unqueued).then(None, js=scroll_to("film-headline"))
    return film
