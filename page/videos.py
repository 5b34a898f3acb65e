"""The tab for one video: the verdict, the timeline and the key frames."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import gradio as gr
import pandas as pd

from detect import Detector, VideoError, VideoVerdict, texts
from detect.explain import MAX_SHOWN, explain_video, headline
from detect.show import LINES, key_pictures
from detect.turns import BusyError, Turns
from detect.verdict import suspicious
from detect.video import judge_frames
from page.runs import RunEnded, Runs

TIMELINE_COLUMNS = ("seconds", "chance of being fake", "face")
LOOK = 0.5  # seconds between two looks whether the turn has come


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
            return "", texts.VIDEO_WAITING, None, None, hidden, hidden, hidden, None
        shown = gr.update(visible=True)
        return f"## {texts.VIDEO_BEGUN}", "", None, None, shown, hidden, hidden, self.runs.open()

    def watch(self, video: str | None, run: int | None) -> Iterator[tuple]:
        """Headline with the progress, explanation, timeline, key frames; whether to show the button
        that stops, the one that judges again, and the results. Nothing where nothing was begun."""
        if run is None or video is None:
            return
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        try:
            with self.runs.going_on(run), self.turns.place() as place:
                while not place.comes(LOOK):
                    self.runs.check(run)
                    yield f"## {texts.VIDEO_TURN}", "", None, None, shown, hidden, hidden
                with closing(judge_frames(self.detector, video)) as steps:
                    for step in steps:
                        done, total, verdict = step
                        self.runs.check(run)
                        said = texts.FRAMES_DONE.format(done, total)
                        yield f"## {texts.VIDEO_JUDGING}", said, None, None, shown, hidden, hidden
                results = _sentences(verdict), _timeline(verdict), key_pictures(verdict)
                self.runs.check(run)
        except (VideoError, BusyError) as error:
            again = gr.update(visible=isinstance(error, BusyError))
            why = str(error) if Path(video).exists() else texts.GONE
            yield f"## {texts.VIDEO_FAILED}", why, None, None, hidden, again, hidden
            return
        except RunEnded as ended:
            if ended.stopped:
                yield f"## {texts.STOPPED}", texts.VIDEO_WAITING, None, None, hidden, shown, hidden
            return
        yield f"## {headline(verdict)}", *results, hidden, hidden, gr.update(visible=bool(verdict.faces))

    def settle(self, run: int | None) -> tuple:
        """After a run: where no other has come, but what it judged was taken away meanwhile, nothing is shown of it."""
        return self.begin(None, None)[:-1] if run is None else (gr.skip(),) * 7

    def fail(self) -> tuple:
        """A run that could not go on, for a reason that is in the server's log or because its queue is full."""
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        return f"## {texts.VIDEO_FAILED}", texts.SERVER_FAILED, None, None, hidden, shown, hidden

    def stop(self, run: int | None) -> tuple:
        """Ask a run to stop; headline, and whether to show the button. The run itself says when it has: what it was
        about to show would otherwise overtake that."""
        if not self.runs.stop(run):  # it has just ended
            return gr.skip(), gr.skip()
        return f"## {texts.STOPPING}", gr.update(visible=False)


def _sentences(verdict: VideoVerdict) -> str:
    more = [f"The timeline shows the {len(LINES)} most suspicious faces."] if len(verdict.faces) > len(LINES) else []
    return "\n".join(f"- {sentence}" for sentence in [*explain_video(verdict), *more])


def _timeline(verdict: VideoVerdict) -> gr.LinePlot:
    drawn = [face.number for face in suspicious(verdict.faces)[: len(LINES)]]
    rows = [
        (moment.seconds, face.p_fake, f"Face {face.face}")
        for moment in verdict.timeline
        for face in moment.faces
        if face.face in drawn
    ]
    colours = {f"Face {number}": colour for number, colour in zip(drawn, LINES, strict=False)}
    return gr.LinePlot(pd.DataFrame(rows, columns=TIMELINE_COLUMNS), color_map=colours)


def video_tab(events: Videos) -> gr.Video:
    """Lay out the tab; returns where the video is dropped."""
    with gr.Row():
        with gr.Column():
            film = gr.Video(label="Video", sources=["upload"], height=380, elem_id="film")
            stop = gr.Button(texts.STOP, visible=False, elem_id="stop")
            again = gr.Button(texts.AGAIN, visible=False, elem_id="again")
        with gr.Column():
            title = gr.Markdown(elem_id="film-headline")
            why = gr.Markdown(texts.VIDEO_WAITING, elem_id="film-why", latex_delimiters=[])
            with gr.Column(visible=False) as results:
                seconds, chance, face = TIMELINE_COLUMNS
                timeline = gr.LinePlot(x=seconds, y=chance, color=face, y_lim=[0, 1], height=320, elem_id="timeline")
                stills = gr.Gallery(
                    label=f"The most suspicious faces, at most {MAX_SHOWN}, each in its most typical frame",
                    columns=2, height="auto", elem_id="stills",
                    buttons=["fullscreen"],
                )  # fmt: skip
    shown = [title, why, timeline, stills, stop, again, results]
    # Videos take turns by themselves: in Gradio's own queue, those that wait would take the places of photographs.
    private = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
    unqueued = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
    begun = gr.State()
    watched = begun.change(events.watch, [film, begun], shown, trigger_mode="multiple", **private)
    film.change(None, cancels=watched)  # before the next event, whose effects it would cancel
    beginning = gr.on([film.change, again.click], events.begin, [film, begun], [*shown, begun], **private)
    stop.click(events.stop, begun, [title, stop], **private)
    for event in (beginning, watched):
        event.failure(events.fail, None, shown, **unqueued)
    watched.then(events.settle, begun, shown, **unqueued)
    return film
