"""The tab for many photographs: one line each, the worst on top, and files to take home."""

import json
import math
import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic
from urllib.parse import quote

import gradio as gr
from gradio.utils import get_upload_folder

from detect import Detector, PictureError, texts
from detect.album import MAX_PICTURES, Album, Judged, Named, NotTried, summary, worst_first
from detect.explain import WORDS
from detect.files import whole_file, write_text
from detect.records import csv_writer
from detect.show import COLOURS
from detect.turns import BusyError, Turns
from page.listeners import while_heard
from page.phone import scroll_to
from page.runs import RunEnded, Runs

LOOK = 0.5  # seconds between two looks whether the turn has come
STEP = 0.2  # seconds between two steps that Gradio hears of: each takes it as long as a picture takes
SHOWN_SIDE = 64  # pixels of a small view on the page; screens of phones have several dots for each
# Of the columns: what each holds, and its width in pixels. Text is shown as it is; only `_view` writes HTML. On a phone
# the first three are seen without scrolling.
COLUMNS = {
    "Picture": ("html", SHOWN_SIDE + 16),
    "Verdict": ("str", 124),
    "Chance": ("number", 120),
    "File": ("str", 260),
    "Faces": ("number", 100),
    "Remark": ("str", 530),
}
NO_NUMBER = -1  # sorts below every number; nothing is shown
BYTE_ORDER_MARK = "utf-8-sig"  # without it, spreadsheets take UTF-8 for something else


class NotJudged(ValueError):
    """Nothing is judged; the message says to the person why."""


class Many:
    """The events of the tab, and the albums' turns, which the endpoint shares."""

    def __init__(self, detector: Detector):
        self.album = Album(detector)
        self.turns = Turns(texts.MAX_WAITING, texts.MANY_BUSY)
        self.runs = Runs()

    def judge(self, files: Sequence[Named]) -> Iterator[list[dict] | None]:
        """Judge pictures when their turn comes: None at each step on the way, then for each its `file` name, and its
        verdict or the error. Raises NotJudged, BusyError."""
        _check(files)
        answers = []
        with self.turns.place() as place:
            while not place.comes(LOOK):
                yield None
            with closing(self.album.judge_all(files)) as steps:
                for judged, due in _spaced(steps):
                    answers.append(_answer(judged))
                    if due:
                        yield None
        yield answers

    def begin(self, files: Sequence[Named], earlier: int | None) -> tuple:
        """Other files, or none: the earlier run ends in silence, and what was shown of it is taken away. The last value
        is the new run, whose change calls `watch`; see there for the others."""
        self.runs.replace(earlier)
        hidden = gr.update(visible=False)
        nothing = None, None, None
        try:
            _check(files)
        except NotJudged as error:
            title, why = (f"## {texts.MANY_FAILED}", str(error)) if files else ("", texts.MANY_WAITING)
            return title, why, *nothing, hidden, hidden, hidden, None
        return f"## {texts.MANY_BEGUN}", "", *nothing, gr.update(visible=True), hidden, hidden, self.runs.open()

    def watch(self, files: Sequence[Named], run: int | None) -> Iterator[tuple]:
        """Headline with the progress, explanation, table, the files with all records; whether to show the button
        that stops, the one that judges again, and the results. Nothing where nothing was begun."""
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        nothing = None, None, None
        going_on = "", *nothing, shown, hidden, hidden
        if run is None:
            return
        try:
            _check(files)
            with self.runs.going_on(run), self.turns.place() as place:
                while not place.comes(LOOK):
                    self.runs.check(run)
                    yield f"## {texts.MANY_TURN}", *going_on
                folder, album = _new_folder(), []
                with closing(self.album.judge_all(files, folder)) as steps:
                    for judged, due in _spaced(steps):
                        album.append(judged)
                        self.runs.check(run)
                        if due:
                            done = texts.MANY_DONE.format(len(album), len(files))
                            yield f"## {texts.MANY_JUDGING}", done, *going_on[1:]
                results = _table(album), _csv_file(album, folder), _json_file(album, folder)
                self.runs.check(run)
        except NotJudged:
            yield self.begin(files, run)[:-1]
            return
        except OSError:
            yield f"## {texts.MANY_FAILED}", texts.NO_ROOM, *nothing, hidden, shown, hidden
            return
        except BusyError as error:
            yield f"## {texts.MANY_FAILED}", str(error), *nothing, hidden, shown, hidden
            return
        except RunEnded as ended:
            if ended.stopped:
                yield f"## {texts.STOPPED}", texts.MANY_WAITING, *nothing, hidden, shown, hidden
            return
        yield f"## {summary(album)}", texts.MANY_ORDER, *results, hidden, hidden, shown

    def settle(self, run: int | None) -> tuple:
        """After a run: where no other has come, but what it judged was taken away meanwhile, nothing is shown of it."""
        return self.begin((), None)[:-1] if run is None else (gr.skip(),) * 8

    def fail(self) -> tuple:
        """A run that could not go on, for a reason that is in the server's log or because its queue is full."""
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        return f"## {texts.MANY_FAILED}", texts.SERVER_FAILED, None, None, None, hidden, shown, hidden

    def stop(self, run: int | None) -> tuple:
        """Ask a run to stop; headline, and whether to show the button. The run itself says when it has: what it was
        about to show would otherwise overtake that."""
        if not self.runs.stop(run):  # it has just ended
            return gr.skip(), gr.skip()
        return f"## {texts.STOPPING}", gr.update(visible=False)


def _spaced(album: Iterator[Judged]) -> Iterator[tuple[Judged, bool]]:
    """Each picture, and whether the next step is due with it, the first at once."""
    last = -math.inf
    for judged in album:
        due = monotonic() - last >= STEP
        yield judged, due
        if due:
            last = monotonic()


def _answer(judged: Judged) -> dict:
    # Not `path`, as in a record: gradio_client takes every object with a path for a file, and would fetch it.
    error = isinstance(judged.result, PictureError)
    return {"file": judged.name, **({"error": str(judged.result)} if error else judged.result.to_dict())}


def _check(files: Sequence[Named]) -> None:
    if not files:
        raise NotJudged(texts.NO_PICTURES)
    if len(files) > MAX_PICTURES:
        raise NotJudged(texts.TOO_MANY.format(len(files), MAX_PICTURES))
    if not all(Path(sent.path).exists() for sent in files):
        raise NotJudged(texts.GONE)


def _new_folder() -> Path:
    """Among the uploads, so that what lies in it is served and deleted as they are, under a name nobody guesses."""
    folder = Path(get_upload_folder(), secrets.token_hex(20))
    folder.mkdir(parents=True, mode=0o700)
    return folder


def _table(album: Sequence[Judged]) -> dict:
    rows = [_row(judged) for judged in worst_first(album)]
    # The first column shows the picture, but what sorts it is the place in this order.
    return {
        "headers": list(COLUMNS),
        "data": [[place, *values[1:]] for place, (values, _) in enumerate(rows, 1)],
        "metadata": {
            "display_value": [["" if value == NO_NUMBER else value for value in values] for values, _ in rows],
            "styling": [["", f"border-left: 4px solid {colour}", "", "", "", ""] for _, colour in rows],
        },
    }


def _row(judged: Judged) -> tuple[list, str]:
    """The values of a row, and the colour that stands beside the verdict's word."""
    if isinstance(judged.result, PictureError):
        word = texts.NOT_TRIED if isinstance(judged.result, NotTried) else texts.UNREAD
        return ["", word, NO_NUMBER, judged.name, NO_NUMBER, str(judged.result)], "gray"
    verdict = judged.result
    chance = min(99, max(1, round(verdict.p_fake * 100)))  # no certainty
    remark = " ".join(verdict.reasons)
    return [
        _view(judged.view), WORDS[verdict.label], chance, judged.name, len(verdict.faces), remark,
    ], COLOURS[verdict.label]  # fmt: skip


def _view(file: Path | None) -> str:
    """An image in HTML. As a file it is deleted on schedule; Gradio would keep a data address for the whole session."""
    if file is None:
        return ""
    shape = f"width: {SHOWN_SIDE}px; height: {SHOWN_SIDE}px; object-fit: contain"
    return f'<img src="gradio_api/file={quote(str(file))}" alt="" style="{shape}">'


def _csv_file(album: Sequence[Judged], folder: Path) -> str:
    path = folder / "verdicts.csv"
    with whole_file(path) as partial, partial.open("w", encoding=BYTE_ORDER_MARK, newline="") as out:
        write = csv_writer(out)
        for judged in album:
            write(judged.record)
    return str(path)


def _json_file(album: Sequence[Judged], folder: Path) -> str:
    path = folder / "verdicts.json"
    write_text(path, json.dumps([judged.record for judged in album], ensure_ascii=False, indent=1) + "\n")
    return str(path)


def many_tab(events: Many) -> gr.File:
    """Lay out the tab; returns where the pictures are dropped."""
    with gr.Row():
        with gr.Column():
            files = gr.File(
                file_count="multiple", file_types=["image", ".heic", ".heif", ".hif"], label="Photographs", height=220,
                elem_id="many",
            )  # fmt: skip
            stop = gr.Button(texts.STOP, visible=False, elem_id="many-stop")
            again = gr.Button(texts.MANY_AGAIN, visible=False, elem_id="many-again")
        with gr.Column():
            title = gr.Markdown(elem_id="many-headline")
            why = gr.Markdown(texts.MANY_WAITING, elem_id="many-why", latex_delimiters=[])
    with gr.Column(visible=False) as results:
        table = gr.Dataframe(
            headers=list(COLUMNS), datatype=[kind for kind, _ in COLUMNS.values()],
            column_widths=[width for _, width in COLUMNS.values()], interactive=False, wrap=True, max_height=600,
            buttons=[], elem_id="many-table", label="Verdicts", show_label=False,
        )  # fmt: skip
        with gr.Row():
            rows = gr.DownloadButton(texts.CSV, elem_id="many-csv")
            records = gr.DownloadButton(texts.JSON, elem_id="many-json")
    shown = [title, why, table, rows, records, stop, again, results]
    # Albums take turns by themselves: in Gradio's own queue, those that wait would take the places of photographs.
    private = {
        "show_progress": "hidden", "api_visibility": "private", "concurrency_id": "batch", "concurrency_limit": None,
    }  # fmt: skip
    unqueued = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
    begun = gr.State()
    watched = begun.change(while_heard(events.watch), [files, begun], shown, trigger_mode="multiple", **private)
    beginning = gr.on([files.change, again.click], events.begin, [files, begun], [*shown, begun], **private)
    stop.click(events.stop, begun, [title, stop], **private)
    for event in (beginning, watched):
        event.failure(events.fail, None, shown, **unqueued)
    watched.then(events.settle, begun, shown, **unqueued).then(None, js=scroll_to("many-headline"))
    return files
