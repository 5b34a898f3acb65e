"""Jobs of a visitor that take long: they take turns, show how far they are, and can be stopped or replaced."""

import math
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import gradio as gr
from gradio.components import Component
from gradio.events import EventListenerMethod

from deepfake_detect.errors import BusyError
from page import texts
from page.job_queue import JobQueue
from page.runs import RunEnded, Runs
from page.server.disconnects import cancel_when_abandoned
from page.widgets.components import name_of, scroll_to
from page.widgets.score_card import failure_html, notice_html

STREAM_SECONDS = 1.0  # between two times that the results so far are shown
QUEUE_POLL_SECONDS = 0.5  # between two looks whether the turn has come
Sent = TypeVar("Sent")  # what a visitor has sent: a path, or several
Step = TypeVar("Step")
Update = dict[Component, object]  # values for some of an event's outputs; the others stay as they are


class NotJudged(ValueError):
    """Nothing is judged; the message says to the person why."""


@dataclass(frozen=True)
class JobTexts:
    """What a tab says of its jobs."""

    waiting: str  # for something to be sent
    reading: str
    queued: str
    judging: str
    failed: str
    busy: str


@dataclass(frozen=True)
class JobView:
    """The components in which a job is shown."""

    card: gr.HTML
    results: tuple[Component, ...]
    stop: gr.Button
    again: gr.Button
    area: gr.Column  # of the results

    @property
    def components(self) -> list[Component]:
        return [self.card, *self.results, self.stop, self.again, self.area]

    def update(self, card: str, results: Sequence = (), stop: bool = False, again: bool = False) -> Update:
        """A card, and the results or, without any, nothing of earlier ones; and which buttons show."""
        return {
            self.card: card,
            **dict(zip(self.results, results or (None,) * len(self.results), strict=True)),
            self.stop: gr.update(visible=stop),
            self.again: gr.update(visible=again),
            self.area: gr.update(visible=bool(results)),
        }


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    text: str
    share: float  # 0..1
    # How far it is by now, and the results for the `JobView`; with those that only an end has, which may raise
    # OSError, or without them.
    so_far: Callable[[bool], tuple[str, Sequence]] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a job comes to, or as much of it as there is: a card, and values for the results of its `JobView`."""

    card: str
    results: Sequence = ()


def _with_earlier(updates: Iterator[Update]) -> Iterator[Update]:
    """Each update with what the earlier ones set and it does not.

    Why: Gradio sends what has changed since the last update, and its client writes that into the last one, which a
    busy browser may not have shown yet. A value, or a key of one of `gr.update`, that is only there once would then
    never be shown.
    Needed: tests/page/test_busy_browser.py
    Can go: when Gradio's client shows each update as it was before it takes in the next.
    """
    shown: Update = {}
    with closing(updates):
        for update in updates:
            for part, value in update.items():
                earlier = shown.get(part)
                if isinstance(value, dict) and isinstance(earlier, dict):
                    shown[part] = earlier | value
                elif not (isinstance(value, dict) and value == gr.skip()):
                    shown[part] = value
            # Gradio takes the values out of what it is given
            yield {part: value.copy() if isinstance(value, dict) else value for part, value in shown.items()}


class LongJobs(ABC):
    """The events of a tab whose jobs take long. They take turns, which an endpoint may share by `take_turn`.

    A subclass says what is judged and how. The events need `connect` to be called before.
    """

    def __init__(self, words: JobTexts):
        self.texts = words
        self.queue = JobQueue(texts.MAX_WAITING, words.busy)
        self.runs = Runs()
        self.view: JobView | None = None
        self.run: gr.State | None = None  # holds the number of the visitor's newest run

    @abstractmethod
    def check(self, sent: Sent) -> None:
        """Raise NotJudged if what was sent cannot be judged, as far as that is seen at once."""

    @abstractmethod
    def work(self, sent: Sent) -> Iterator[Progress | Outcome]:
        """Judge what was sent: Progress at each step, then the Outcome, and again each time that there is more of it:
        first what was judged, last the files. What fails after the first takes nothing away of what is there.

        Raises:
            NotJudged: it cannot be judged.
            OSError, gr.Error: results cannot be written.
        """

    def take_turn(self, work: Callable[[], Iterator[Step]], run: int | None = None) -> Iterator[Step | None]:
        """The steps of some work when its turn comes: None for each look at the queue, then the steps.

        Args:
            work: begins it; it is closed when this is.
            run: is asked between the steps whether to go on; without one, nothing but closing ends the work.

        Raises:
            BusyError: too many wait already.
            RunEnded: the run was stopped or replaced.
        """
        check = (lambda: self.runs.check(run)) if run else lambda: None
        with self.runs.going_on(run) if run else nullcontext(), self.queue.take_ticket() as ticket:
            while not ticket.wait(QUEUE_POLL_SECONDS):
                check()
                yield None
            with closing(work()) as steps:
                for step in steps:
                    check()
                    yield step

    def begin(self, sent: Sent | None, earlier: int | None) -> Update:
        """Something new was sent, or taken away: the earlier run ends without a word, and what was shown of it goes.
        The new run is the value of `self.run`, whose change calls `watch`."""
        self.runs.replace(earlier)
        if not sent:
            return self._idle() | {self.run: None}
        try:
            self.check(sent)
        except NotJudged as error:
            return self._not_judged(error, sent) | {self.run: None}
        return self.view.update(notice_html(self.texts.reading), stop=True) | {self.run: self.runs.open()}

    def watch(self, sent: Sent | None, run: int | None) -> Iterator[Update]:
        """Show how far a run is, and what it comes to. Nothing where nothing was begun, or another run has begun."""
        if run is None or not sent:
            return
        try:
            yield from _with_earlier(self._watched(sent, run))
        except RunEnded:
            yield gr.skip()  # Gradio shows the last update once more, which must not be one of this run

    def _watched(self, sent: Sent, run: int) -> Iterator[Update]:
        """The updates of `watch`. Raises RunEnded where another run has begun."""
        outcome = last = None
        shown = -math.inf
        try:
            self.check(sent)
            with closing(self.take_turn(lambda: self.work(sent), run)) as steps:
                for step in steps:
                    if isinstance(step, Outcome):
                        outcome = step
                        yield self.view.update(outcome.card, outcome.results)
                    elif step is None:
                        yield self.view.update(notice_html(self.texts.queued), stop=True)
                    else:
                        said = texts.SAID_AT.format(self.texts.judging, 25 * int(4 * step.share))
                        card = notice_html(self.texts.judging, step.text, said, step.share)
                        last = step
                        if step.so_far is None:
                            yield self.view.update(card, stop=True)
                        elif time.monotonic() - shown > STREAM_SECONDS:
                            results = step.so_far(False)[1]
                            self.runs.check(run)  # that may have taken a while
                            yield self.view.update(card, results, stop=True)
                            shown = time.monotonic()
                        else:
                            yield {self.view.card: card}
        except NotJudged as error:
            yield self._not_judged(error, sent)
        except BusyError as error:
            yield self._failed(str(error), again=True)
        except RunEnded as ended:
            if not ended.stopped:
                raise
            yield self._stopped(last) if outcome is None else self._kept(outcome)
        except (OSError, gr.Error) as error:
            sentence = error.message if isinstance(error, gr.Error) else self._why_not_written(sent)
            yield self._failed(sentence, again=True) if outcome is None else self._kept(outcome, sentence)
        except Exception:
            if outcome is None:
                raise  # Gradio writes it to the log, and `fail` is called
            traceback.print_exc()
            yield self._kept(outcome, texts.SERVER_FAILED)

    def settle(self, run: int | None) -> Update:
        """After a run: where no other has come, but what it judged was taken away meanwhile, nothing is shown of it."""
        return self._idle() if run is None else gr.skip()

    def fail(self) -> Update:
        """A run that could not go on, for a reason that is in the server's log or because its queue is full."""
        return self._failed(texts.SERVER_FAILED, again=True)

    def _stopped(self, last: Progress | None) -> Update:
        """What was judged before it was stopped stays, with its files."""
        if last is None or last.so_far is None:
            return self.view.update(notice_html(texts.STOPPED, self.texts.waiting), again=True)
        try:
            text, results = last.so_far(True)
        except OSError:
            text, results = last.so_far(False)
            text = f"{text} {texts.NO_ROOM}"
        return self.view.update(notice_html(texts.STOPPED, text), results, again=True)

    def _kept(self, outcome: Outcome, sentence: str = "") -> Update:
        """What is there of an outcome stays, with a sentence on why the rest is missing."""
        said = f'<div role="alert">{notice_html("", sentence)}</div>' if sentence else ""
        return {
            self.view.card: outcome.card + said,
            self.view.stop: gr.update(visible=False),
            self.view.again: gr.update(visible=True),
        }

    def _why_not_written(self, sent: Sent) -> str:
        """After an OSError: what was sent is gone, or there is no room."""
        try:
            self.check(sent)
        except NotJudged as error:
            return str(error)
        return texts.NO_ROOM

    def _idle(self) -> Update:
        return self.view.update(notice_html("", self.texts.waiting, ""))

    def _not_judged(self, error: NotJudged, sent: Sent) -> Update:
        if not isinstance(sent, str):
            return self._failed(str(error))
        return self.view.update(failure_html(self.texts.failed, str(error), name_of(sent)))

    def _failed(self, sentence: str, again: bool = False) -> Update:
        return self.view.update(notice_html(self.texts.failed, sentence), again=again)

    def stop(self, run: int | None) -> Update:
        """Ask a run to stop. The run itself says when it has: what it was about to show would otherwise come after."""
        if not self.runs.stop(run):  # it has just ended
            return gr.skip()
        return {self.view.card: notice_html(texts.STOPPING), self.view.stop: gr.update(visible=False)}

    def connect(self, box: Component, changed: EventListenerMethod, view: JobView) -> None:
        """Set up the events.

        Args:
            box: where files are dropped.
            changed: its event that tells so.
            view: what shows the jobs.
        """
        self.view, self.run = view, gr.State()
        # Jobs take turns by themselves: in Gradio's own queue, those that wait would take the places of photographs.
        private = {"show_progress": "hidden", "api_visibility": "private"}
        queued, unqueued = private | {"concurrency_limit": None}, private | {"queue": False}
        inputs, shown = [box, self.run], view.components
        watched = self.run.change(cancel_when_abandoned(self.watch), inputs, shown, trigger_mode="multiple", **queued)
        beginning = gr.on([changed, view.again.click], self.begin, inputs, [*shown, self.run], **queued)
        view.stop.click(self.stop, self.run, [view.card, view.stop], **queued)
        for event in (beginning, watched):
            event.failure(self.fail, None, shown, **unqueued)
        scroll = scroll_to(view.card.elem_id)
        watched.then(self.settle, self.run, shown, **unqueued).then(None, js=scroll)
