"""The tab for many photographs: chips that count them, one row each, the worst on top, and files to take home."""

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from html import escape
from pathlib import Path
from time import monotonic

import gradio as gr

from deepfake_detect import Detector, PictureError
from deepfake_detect.atomic_files import atomic_write, write_text
from deepfake_detect.report import card_texts
from deepfake_detect.report.card import hundredths
from deepfake_detect.report.names import as_text, json_text, shown
from deepfake_detect.report.records import csv_writer
from deepfake_detect.verdict import NO_FACE
from page import texts
from page.batch import MAX_PICTURES, SHOWN_AS, Album, BatchItem, Named, counts, summary, worst_first
from page.jobs import JobTexts, JobView, LongJobs, NotJudged, Outcome, Progress
from page.server.upload_folder import new_folder
from page.widgets.components import Photo, PhotoFiles, Upload, file_url
from page.widgets.score_card import answer_html, notice_html

STEP = 0.2  # seconds between two steps that Gradio hears of: each takes it as long as a picture takes
BYTE_ORDER_MARK = "utf-8-sig"  # without it, spreadsheets take UTF-8 for something else
CSS = """
.album .chips { display: flex; flex-wrap: wrap; gap: 0.4rem; margin-bottom: 0.5rem; }
.album .chips button { margin: 0; min-height: 2.25rem; padding: 0.3rem 0.8rem; border-radius: 2rem;
    color: var(--body-text-color); border: 2px solid var(--verdict, var(--border-color-accent));
    background: transparent; }
.album .chips button[aria-pressed=true] { background: color-mix(in srgb, var(--verdict, gray) 25%, transparent); }
.album table { width: 100%; border-collapse: collapse; }
.album :is(table, tr, th, td) { border: none !important; }
.album td { padding: 0.4rem 0.6rem; vertical-align: top; overflow-wrap: anywhere; }
.album bdi { overflow-wrap: break-word; }
.album td:first-child { width: 154px; padding-left: 1rem; box-shadow: inset 0.4rem 0 var(--verdict, gray); }
.album [data-row] { padding: 0; border: none; background: none; cursor: pointer; line-height: 0; }
.album img { width: 128px; height: 128px; object-fit: contain; margin: 0; }
.album strong { color: var(--verdict, var(--body-text-color)); font-size: var(--text-lg); }
.album strong span { color: inherit; }
.album .chips span { color: var(--verdict, inherit); font-weight: 700; }
.album p { margin: 0.2rem 0; }
""" + "".join(f'.album[data-shown="{kind}"] tr:not([data-label="{kind}"]) {{ display: none; }}\n' for kind in SHOWN_AS)
# A chip shows the rows of its kind alone; a row opens its picture.
CLICKED = """element.addEventListener("click", event => {
    const chip = event.target.closest("[data-kind]"), row = event.target.closest("[data-row]");
    if (chip) {
        chip.closest(".album").dataset.shown = chip.dataset.kind;
        for (const each of chip.parentElement.children) each.setAttribute("aria-pressed", each === chip);
    }
    if (row) trigger("click", {index: Number(row.dataset.row)});
});"""


class Albums(LongJobs):
    """The events of the tab."""

    def __init__(self, detector: Detector):
        super().__init__(
            JobTexts(
                waiting=texts.ALBUM_WAITING, reading=texts.ALBUM_READING, queued=texts.ALBUM_TURN,
                judging=texts.ALBUM_JUDGING, failed=texts.ALBUM_FAILED, busy=texts.ALBUM_BUSY,
            )
        )  # fmt: skip
        self.album = Album(detector)

    def judge(self, files: Sequence[Named]) -> Iterator[list[dict] | None]:
        """Judge pictures when their turn comes: None at each step on the way, then for each its `file` name, and its
        verdict or the error. Raises NotJudged, BusyError."""
        self.check(files)
        answers = []
        for step in self.take_turn(lambda: _spaced(self.album.judge_all(files))):
            if step:
                answers.append(_answer(step[0]))
            if step is None or step[1]:
                yield None
        yield answers

    def check(self, sent: Sequence[Named]) -> None:
        if not sent:
            raise NotJudged(texts.NO_PICTURES)
        if len(sent) > MAX_PICTURES:
            raise NotJudged(texts.TOO_MANY.format(len(sent), MAX_PICTURES))
        if not all(Path(file.path).exists() for file in sent):
            raise NotJudged(texts.GONE)

    def work(self, sent: Sequence[Named]) -> Iterator[Progress | Outcome]:
        folder, album = new_folder(), []

        def said() -> str:
            return texts.ALBUM_DONE.format(len(album), len(sent))

        def so_far(with_files: bool) -> tuple[str, tuple]:
            return said(), _results(album, folder, with_files)

        with closing(_spaced(self.album.judge_all(sent, folder))) as steps:
            for judged, due in steps:
                album.append(judged)
                if due:
                    yield Progress(said(), len(album) / len(sent), so_far)
        card = _card(album)
        yield Outcome(card, _results(album, folder, False))
        yield Outcome(card, (gr.skip(), *_results(album, folder, True)[1:]))

    def open(self, sent: Sequence[Named] | None, clicked: gr.EventData) -> tuple[Upload, dict]:
        """The picture of a row, for the tab of one photograph, and that this tab is shown."""
        place = clicked._data.get("index") if isinstance(clicked._data, dict) else None
        if not sent or type(place) is not int or not 0 <= place < len(sent):
            return gr.skip(), gr.skip()
        return Upload(sent[place].path, sent[place].name), gr.Tabs(selected=texts.PHOTO_TAB)


def _results(album: Sequence[BatchItem], folder: Path, with_files: bool) -> tuple:
    """The rows, and the files, or none of them yet. Raises OSError."""
    hidden = gr.update(value=None, visible=False)
    if not with_files:
        return _table(album), hidden, hidden
    files = _csv_file(album, folder), _json_file(album, folder)
    return _table(album), *(gr.update(value=file, visible=True) for file in files)


def _card(album: Sequence[BatchItem]) -> str:
    return answer_html(summary(album), texts.ALBUM_ORDER if any(judged.view for judged in album) else "")


def _spaced(album: Iterator[BatchItem]) -> Iterator[tuple[BatchItem, bool]]:
    """Each picture, and whether the next step is due with it, the first at once."""
    last = -math.inf
    with closing(album):
        for judged in album:
            due = monotonic() - last >= STEP
            yield judged, due
            if due:
                last = monotonic()


def _answer(judged: BatchItem) -> dict:
    # Not `path`, as in a record: gradio_client takes every object with a path for a file, and would fetch it.
    error = isinstance(judged.result, PictureError)
    return {
        "file": as_text(judged.name),
        **({"error": str(judged.result), "error_code": judged.result.code} if error else judged.result.to_dict()),
    }


def _table(album: Sequence[BatchItem]) -> str:
    """Chips that count the pictures by their kind, and one row each, in HTML."""
    found = counts(album)
    chips = [_chip("", texts.ALL, len(album), True)]
    chips += [_chip(kind, word, found[kind], False) for kind, word in SHOWN_AS.items() if found[kind]]
    places = {id(judged): place for place, judged in enumerate(album)}
    rows = "".join(_row(judged, places[id(judged)]) for judged in worst_first(album))
    return (
        f'<div class="album"><div class="chips" role="group" aria-label="{texts.CHIPS_LABEL}">{"".join(chips)}</div>'
        f"<table>{rows}</table></div>"
    )


def _chip(kind: str, word: str, number: int, pressed: bool) -> str:
    """Its name ends with what the rows of its kind are headed with, where that is another word."""
    headline = card_texts.HEADLINES.get(kind, word)
    name = escape(f"{word} {number}" + f": {headline}" * (headline != word), quote=True)
    icon = f'<span aria-hidden="true">{_icon(kind)}</span> ' if kind else ""
    return (
        f'<button type="button" data-kind="{kind}" data-label="{kind}" aria-pressed="{str(pressed).lower()}" '
        f'aria-label="{name}">{icon}{word} {number}</button>'
    )


def _icon(kind: str) -> str:
    """The same in a chip, in its rows and on their cards."""
    return card_texts.ICONS.get(kind, card_texts.ICONS[NO_FACE])


def _row(judged: BatchItem, place: int) -> str:
    """A row; `place`: that of the picture among those that were sent."""
    error = isinstance(judged.result, PictureError)
    name = re.sub(r"(?<=[_.-])(?=\w)", "<wbr>", escape(shown(judged.name), quote=True))  # where its line may end
    faces = () if error else judged.result.faces
    remark = str(judged.result) if error else " ".join(map(str, judged.result.reasons))
    chance = f"<p>{escape(card_texts.GAUGE.format(hundredths(judged.result.p_fake)))}</p>" if faces else ""
    # In an element of its own name: Gradio would give the <img> of another row a new address, and a browser goes on
    # showing the old picture, beside another's verdict, until the new one has come.
    own = f"view-{place}"
    view = f'<{own}><img src="{escape(file_url(judged.view), quote=True)}" alt=""></{own}>' if judged.view else ""
    label = escape(texts.OPEN.format(shown(judged.name)), quote=True)
    opened = f'<button type="button" data-row="{place}" aria-label="{label}">{view}</button>' if view else ""
    icon, headline = _icon(judged.kind), card_texts.HEADLINES.get(judged.kind, SHOWN_AS[judged.kind])
    return (
        f'<tr data-label="{judged.kind}"><td>{opened}</td><td><strong><span aria-hidden="true">{icon}</span> '
        f"{headline}</strong>{chance}<p><bdi>{name}</bdi></p><p>{escape(remark)}</p></td></tr>"
    )


def _csv_file(album: Sequence[BatchItem], folder: Path) -> str:
    path = folder / "verdicts.csv"
    with atomic_write(path) as partial_file, partial_file.open("w", encoding=BYTE_ORDER_MARK, newline="") as out:
        write = csv_writer(out)
        for judged in album:
            write(judged.record)
    return str(path)


def _json_file(album: Sequence[BatchItem], folder: Path) -> str:
    path = folder / "verdicts.json"
    write_text(path, json_text([judged.record for judged in album], indent=1) + "\n")
    return str(path)


def album_tab(events: Albums, photo: Photo, tabs: gr.Tabs) -> gr.File:
    """Lay out the tab; returns where the pictures are dropped.

    Args:
        events: of the tab.
        photo: where a picture of a row is opened.
        tabs: the tabs of the page, of which that of `photo` is chosen then.
    """
    with gr.Column(elem_id="album-tab"):
        card = gr.HTML(notice_html("", texts.ALBUM_WAITING, ""), elem_id="album-card")
        with gr.Row():
            stop = gr.Button(texts.STOP, visible=False, elem_id="album-stop")
            again = gr.Button(texts.ALBUM_AGAIN, visible=False, elem_id="album-again")
        files = PhotoFiles(file_count="multiple", label="Photographs", height=180, elem_id="album")
        with gr.Column(visible=False) as results:
            with gr.Row():
                rows = gr.DownloadButton(texts.CSV, elem_id="album-csv", visible=False)
                records = gr.DownloadButton(texts.JSON, elem_id="album-json", visible=False)
            table = gr.HTML(elem_id="album-table", js_on_load=CLICKED)
    events.connect(files, files.change, JobView(card, (table, rows, records), stop, again, results))
    table.click(
        events.open, files, [photo, tabs], api_visibility="private", show_progress="hidden", concurrency_limit=None
    )  # fmt: skip
    return files
