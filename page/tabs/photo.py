"""The tab for one photograph: the verdict, and what lies behind it."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from deepfake_detect import Detector, PictureError
from deepfake_detect.detector import Examined
from deepfake_detect.evidence.robustness import Stability, rescore
from deepfake_detect.picture.content_credentials import check_credentials
from deepfake_detect.picture.decode import Downscaled, read_file
from deepfake_detect.picture.provenance import read_claims
from deepfake_detect.report import printable
from deepfake_detect.report.card import card_of, face_gauge, shipped_rates
from deepfake_detect.report.names import shown
from deepfake_detect.report.pdf_report import pdf_report
from deepfake_detect.report.sentences import claims_text, faces_shown, holding
from deepfake_detect.verdict import FAKE, REAL, UNSURE
from page import texts
from page.jobs import Update
from page.report_files import write_reports
from page.runs import RunEnded, Runs
from page.server.address import page_address
from page.server.upload_folder import upload_folder
from page.tabs.photo_result import PhotoResult, reduced_view
from page.tabs.photo_view import PhotoView, choices_of, lay_out
from page.widgets.components import Photo, file_url, name_of, save_whole, scroll_to
from page.widgets.heat import heat_html
from page.widgets.score_card import FramedFace, Shown, bars, card_html, face_html, notice_html

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
# The card of a photograph that has just come, as `begin` shows it too: what is said again is not told again.
JUDGING = f"(image, card) => image ? {json.dumps(notice_html(texts.PHOTO_JUDGING))} : card"
Started = tuple[int, str]  # a run, and the photograph that it judges
Choice = tuple[int, int]  # a run, and the place of one of its faces among those shown


class Photographs:
    """The events of the tab. What one photograph leads to carries the number of its run, and is shown only while no
    other photograph has come. `connect` has to be called before they are used."""

    def __init__(self, detector: Detector):
        self.detector = detector
        self.rates = shipped_rates(detector.model.sha256)
        self.runs = Runs()
        self.view: PhotoView | None = None
        self.started: gr.State | None = None  # holds the visitor's newest Started

    def begin(self, image: str | None, earlier: Started | None) -> Update:
        """Another photograph, or none: what was shown of the earlier one is taken away. The new run is the value of
        `self.started`, whose change calls `show`."""
        self.runs.replace(earlier and earlier[0])
        if image is None:
            return self.view.only("") | {self.started: None}
        return self.view.notice(texts.PHOTO_JUDGING) | {self.started: (self.runs.open(), image)}

    def show(self, started: Started | None) -> Update:
        """Judge the photograph; show the verdict with all that is known then, and the first face."""
        if started is None or not self.runs.is_first(started[0]):
            return gr.skip()
        run, image = started
        try:
            try:
                judged = self._judged(run, image)
            finally:
                self.runs.check(run)
        except RunEnded:
            return gr.skip()
        except gr.Error as error:
            return self.view.failure(error.message, image)
        except (PictureError, OSError) as error:
            return self.view.failure(str(error) if Path(image).exists() else texts.GONE, image)
        view, names = self.view, [name for name, _ in faces_shown(judged.verdict)]
        return {
            **view.only(self._card(judged)),
            **(dict(zip(view.of_face, self._of_face(judged, 0), strict=True)) if names else {}),
            view.pick: choices_of(names),
            view.evidence_area: gr.update(visible=True),
            view.face_area: gr.update(visible=bool(names)),
            view.claims: claims_text(judged.claims),
            view.judged: judged,
            view.choice: (run, 0),
        }

    def _judged(self, run: int, image: str) -> PhotoResult:
        data = read_file(Path(image))
        examined = self.detector.examine(data, with_stability=True)
        verdict, picture, credentials = examined.verdict, examined.crops.picture, check_credentials(data)
        view = reduced_view(picture)
        return PhotoResult(
            run,
            printable.Picture.of(name_of(image), data, picture),
            verdict,
            self._stability(examined),
            credentials,
            read_claims(data, credentials),
            save_whole(Image.fromarray(view.pixels), str(upload_folder())),
            view.downscale,
            # Copies: a view would keep the crops of a whole crowd
            tuple(examined.crops.crops[verdict.faces.index(face)].copy() for _, face in faces_shown(verdict)),
        )

    def _stability(self, examined: Examined) -> tuple[Stability, ...]:
        """Of each face that is shown: those that were not scored again are now."""
        picture = examined.crops.picture
        tested = {tested.face.box: tested for tested in examined.stability}
        shown_faces = [face for _, face in faces_shown(examined.verdict)]
        others = [face for face in shown_faces if face.box not in tested]
        again = rescore(self.detector.model, picture.pixels, others, picture.downscale)
        tested |= {each.face.box: each for each in again}
        return tuple(tested[face.box] for face in shown_faces)

    def _card(self, judged: PhotoResult) -> str:
        facts = judged.facts
        card = card_of(
            judged.verdict, self.detector.metadata.unsure_band, self.rates, judged.stability, judged.claims
        )  # fmt: skip
        picture = Shown(file_url(judged.view), texts.FACES_ALT, (facts.width, facts.height))
        faces = [FramedFace(face, number) for number, face in enumerate(judged.faces, 1)]
        return card_html(card, shown(facts.name), picture, faces)

    def _of_face(self, judged: PhotoResult, number: int) -> tuple:
        """What is said of one face: its card, of several, the chart of its scores, and whether they hold."""
        face, tested, band = judged.faces[number], judged.stability[number], self.detector.metadata.unsure_band
        alone = len(judged.faces) == 1
        card = gr.update(value=face_html(number + 1, face, face_gauge(face, band, tested)), visible=True)
        return (
            gr.update(value=None, visible=False) if alone else card,
            gr.update(value=bars(tested, face.label), visible=True),
            holding(tested, face.label),
        )

    def settle(self, started: Started | None, judged: PhotoResult | None) -> Update:
        """After `show`: if another photograph has come since it looked, what it has shown is taken away again."""
        if judged is None or (started is not None and started[0] == judged.run):
            return gr.skip()
        return self.view.only("") if started is None else self.view.notice(texts.PHOTO_JUDGING)

    def fail(self) -> Update:
        """A photograph that could not be judged for a reason that is in the server's log, or because its queue is
        full."""
        return self.view.notice(texts.FAILED, texts.SERVER_FAILED)

    def write_files(self, judged: PhotoResult | None) -> Update:
        """The files of the result, which take longer than the verdict."""
        if judged is None:
            return gr.skip()
        try:
            files = self._files(judged)
            self.runs.check(judged.run)
        except OSError:  # the upload was deleted meanwhile, or there is no room for the files
            return {self.view.claims: texts.NO_ROOM if Path(judged.view).exists() else texts.GONE}
        except RunEnded:
            return gr.skip()
        return dict(zip(self.view.files, [gr.update(value=file, visible=True) for file in files], strict=True))

    def _files(self, judged: PhotoResult) -> tuple[str, str]:
        """Paths of the JSON report and of the PDF. Raises OSError."""
        model, when = self.detector.model, datetime.now().astimezone()
        behind = judged.verdict, judged.stability, judged.claims
        told = printable.result(judged.facts, *behind, model, when, judged.credentials, self.rates)
        with Image.open(judged.view) as view:
            picture = Downscaled(
                np.asarray(view.convert("RGB")), judged.downscale, (judged.facts.width, judged.facts.height)
            )
        heat = (judged.crops[0], judged.heat(self.detector, 0)) if judged.faces else None
        sheet = pdf_report(picture, judged.facts, *behind, model, when, heat, page_address(), self.rates)
        return write_reports(judged.facts.name, "picture", told, sheet)

    def choose(self, judged: PhotoResult | None, chosen: gr.EventData) -> Choice:
        """The face whose name was chosen, if there is such a one."""
        number = chosen._data.get("index") if isinstance(chosen._data, dict) else None
        if judged is None or type(number) is not int or not 0 <= number < len(judged.faces):
            return gr.skip()
        return judged.run, number

    def look(self, judged: PhotoResult | None, choice: Choice | None) -> Update:
        """The chosen face: what is said of it alone."""
        if not self._is_of(judged, choice):
            return gr.skip()
        return dict(zip(self.view.of_face, self._of_face(judged, choice[1]), strict=True))

    def show_heat(self, judged: PhotoResult | None, choice: Choice | None) -> Update:
        """What the score of the chosen face reacted to."""
        if not self._is_of(judged, choice):
            return gr.skip()
        try:
            heat = judged.heat(self.detector, choice[1])
            path = save_whole(judged.coloured(self.detector, choice[1]), str(upload_folder()))
            self.runs.check(judged.run)
        except RunEnded:
            return gr.skip()
        map_ = heat_html(file_url(path), heat, judged.faces[choice[1]].label, choice[1] + 1)
        return {self.view.heat: gr.update(value=map_, visible=True)}

    def _is_of(self, judged: PhotoResult | None, choice: Choice | None) -> bool:
        """Whether a choice is of a face of this photograph, and no other photograph has come."""
        if judged is None or choice is None or choice[0] != judged.run or not judged.faces:
            return False
        try:
            self.runs.check(judged.run)
        except RunEnded:
            return False
        return True

    def connect(self, photo: Photo, view: PhotoView) -> None:
        """Set up the events of what `lay_out` returns."""
        self.view, self.started = view, gr.State(time_to_live=texts.KEEP_MINUTES * 60)
        # Nothing is cancelled: Gradio would go on with the work, but lose sight of it. Events of an earlier photograph
        # end without a word, and those of the newest run afterwards.
        shown = view.components
        private = {"api_visibility": "private", "trigger_mode": "always_last"}
        unqueued = {"queue": False, "show_progress": "hidden", **private}
        # Those that set off others by a State have to go through the queue.
        at_once = {"concurrency_limit": None, "show_progress": "hidden", **private}
        judges = {"concurrency_id": "picture", "show_progress": "hidden", **private}
        scroll = scroll_to(view.card.elem_id)
        # By the browser alone, for on a slow network the server's first answer takes its time; and before what asks the
        # server, because Gradio goes through the events one after another.
        photo.change(None, [photo, view.card], view.card, js=JUDGING, api_visibility="private")
        beginning = photo.change(self.begin, [photo, self.started], [*shown, self.started], **at_once)
        # The headline says that it is under way; Gradio's own sign would cover the photograph after a failure.
        judging = self.started.change(self.show, self.started, shown, **judges)
        for event in (beginning, judging):
            event.failure(self.fail, None, shown, **unqueued).then(None, js=scroll)
        judging.then(self.settle, [self.started, view.judged], shown, **unqueued).then(None, js=scroll)
        # A place of its own: beside the map, it would take the second of two that photographs have.
        writes = judges | {"concurrency_id": "files"}
        view.judged.change(self.write_files, view.judged, [*view.files, view.claims], **writes)
        view.pick.select(self.choose, view.judged, view.choice, **at_once)
        chosen = [view.judged, view.choice]
        view.choice.change(self.look, chosen, view.of_face, **at_once)
        view.choice.change(self.show_heat, chosen, view.heat, **judges)


def _examples_judged(detector: Detector, fakes: list[str]) -> str:
    """What the detector says of the examples that are fakes, counted now, so that it is true of this model."""
    labels = Counter(verdict.label for verdict in detector.predict(fakes))
    return texts.EXAMPLES_SAID.format(
        fakes=len(fakes), found=labels[FAKE], unsure=labels[UNSURE], missed=labels[REAL]
    )  # fmt: skip


def photograph_tab(detector: Detector) -> Photo:
    """Lay out the tab; returns where the photograph is dropped."""
    examples = [str(file) for file in sorted(EXAMPLES.glob("*.jpg"))]
    fakes = [path for path in examples if Path(path).stem.startswith("fake_")]
    photo, view = lay_out(examples, _examples_judged(detector, fakes))
    Photographs(detector).connect(photo, view)
    return photo
