"""The tab for one photograph: the verdict, and what lies behind it."""

import html
import json
import re
import tempfile
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import gradio as gr
import numpy as np
from PIL import Image

from detect import Detector, PictureError, Verdict, open_picture, texts
from detect.claims import Claim, read_claims
from detect.crop import crop_face
from detect.explain import claims_text, explain, faces_shown, headline, holds, in_100
from detect.files import write_text
from detect.heatmap import CAPTION, occlusion_map, overlay
from detect.printout import Picture, printout, result
from detect.show import VIEW_SIDE, framed
from detect.stability import Stability, examine, rescore
from detect.verdict import FAKE, REAL, UNSURE
from page.bars import bars
from page.intake import shown_name
from page.phone import scroll_to
from page.runs import RunEnded, Runs
from page.uploads import upload_folder

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
HEAT_SIDE = 400  # pixels of the occlusion map
MAX_STEM = 60  # characters of a picture's name in those of its reports
CROP_SIDE = 240  # pixels of the chosen face
PLAIN = {"latex_delimiters": []}  # a file's own words are no formulas
Begun = tuple[int, str]  # a run, and the photograph that it judges
Choice = tuple[int, int]  # a run, and the place of one of its faces among those shown


class Judged(NamedTuple):
    """A photograph and what was said of it."""

    run: int
    image: str
    facts: Picture
    verdict: Verdict
    stability: tuple[Stability, ...]
    claims: tuple[Claim, ...]


class Photographs:
    """The events of the tab. What one photograph leads to carries the number of its run, and is shown only while no
    other photograph has come."""

    def __init__(self, detector: Detector):
        self.detector = detector
        self.runs = Runs()

    def begin(self, image: str | None, earlier: Begun | None) -> tuple:
        """Another photograph, or none: what was shown of the earlier one is taken away. The last value is the new run,
        whose change calls `show`; see there for the others."""
        self.runs.replace(earlier and earlier[0])
        if image is None:
            return *_only("", texts.WAITING), None
        return *_only(f"## {texts.PHOTO_JUDGING}", ""), (self.runs.open(), image)

    def show(self, begun: Begun | None) -> tuple:
        """Headline, label, explanation, the values of `look`, the names to choose from, whether to show the label, the
        faces and the evidence; the photograph as it was judged, and its first face, for the other events."""
        if begun is None:
            return (gr.skip(),) * 12
        run, image = begun
        try:
            try:
                picture = open_picture(image)
                verdict, stability = examine(self.detector, image, picture)
                data = Path(image).read_bytes()
                claims = read_claims(data)
                sentences = explain(verdict, self.detector.metadata, claims)
                facts = Picture.of(shown_name(image), data, picture)
                judged = Judged(run, image, facts, verdict, stability, claims)
                looked = self._look(picture, judged, 0)
                names = _choices([name for name, _ in faces_shown(verdict)])
            finally:
                self.runs.check(run)
        except RunEnded:
            return (gr.skip(),) * 12
        except (PictureError, OSError) as error:
            return _only(f"## {texts.FAILED}", str(error) if Path(image).exists() else texts.GONE)
        hidden, shown = gr.update(visible=False), gr.update(visible=bool(verdict.faces))
        return (
            f"## {headline(verdict)}",
            verdict,
            _listed(sentences),
            *looked,
            names,
            shown,
            shown,
            hidden,
            judged,
            (run, 0),
        )

    def settle(self, begun: Begun | None, judged: Judged | None) -> tuple:
        """After `show`: if another photograph has come since it looked, what it has shown is taken away again."""
        if judged is None or (begun is not None and begun[0] == judged.run):
            return (gr.skip(),) * 12
        return _only("", texts.WAITING) if begun is None else _only(f"## {texts.PHOTO_JUDGING}", "")

    def fail(self) -> tuple:
        """A photograph that could not be judged for a reason that is in the server's log, or because its queue is
        full."""
        return _only(f"## {texts.FAILED}", texts.SERVER_FAILED)

    def evidence(self, judged: Judged | None) -> tuple:
        """The claims of the file, files of the result; whether to show what lies behind a face, and any of it."""
        if judged is None:
            return (gr.skip(),) * 5
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        try:
            files = self._files(judged)
            self.runs.check(judged.run)
        except (PictureError, OSError):  # the upload was deleted meanwhile, or there is no room for the files
            why = texts.NO_ROOM if Path(judged.image).exists() else texts.GONE
            return why, None, None, hidden, shown
        except RunEnded:
            return (gr.skip(),) * 5
        return claims_text(judged.claims), *files, gr.update(visible=bool(judged.verdict.faces)), shown

    def _files(self, judged: Judged) -> tuple[str, str]:
        """Paths of the JSON report and of the page to print, among the uploads, with which they are deleted."""
        model, when = self.detector.model, datetime.now().astimezone()
        folder = Path(tempfile.mkdtemp(dir=upload_folder()))
        stem = re.sub(r"[^\w-]+", "_", Path(judged.facts.name).stem, flags=re.ASCII).strip("_")[:MAX_STEM] or "picture"
        report, sheet = folder / f"{stem}-verdict.json", folder / f"{stem}-verdict.jpg"
        behind = judged.verdict, judged.stability, judged.claims
        write_text(report, json.dumps(result(judged.facts, *behind, model, when), indent=2) + "\n")
        page = printout(open_picture(judged.image), judged.facts, *behind, model, when)
        page.save(sheet, quality=90, dpi=(150, 150))
        return str(report), str(sheet)

    def choose(self, judged: Judged | None, chosen: gr.SelectData) -> Choice:
        """The face whose name was chosen, if there is such a one."""
        number = chosen.index
        if judged is None or type(number) is not int or not 0 <= number < len(faces_shown(judged.verdict)):
            return gr.skip()
        return judged.run, number

    def point(self, judged: Judged | None, clicked: gr.SelectData) -> tuple:
        """The face that was clicked in the picture, the smallest of several, and its place among the names to choose
        from; nothing where there is no face."""
        spot = clicked.index  # x and y in pixels of the view
        if judged is None or not isinstance(spot, list) or [type(x) for x in spot] != [int, int]:
            return (gr.skip(),) * 2
        larger = max(1, max(judged.facts.width, judged.facts.height) / VIEW_SIDE)
        x, y = (at * larger for at in spot)
        hit = {
            (right - left) * (bottom - top): number
            for number, (_, face) in enumerate(faces_shown(judged.verdict))
            for left, top, right, bottom in [face.box]
            if left <= x <= right and top <= y <= bottom
        }
        return ((judged.run, hit[min(hit)]), hit[min(hit)]) if hit else (gr.skip(),) * 2

    def look(self, judged: Judged | None, choice: Choice | None) -> tuple:
        """The picture with its faces framed, the chosen one alone, and what is said of it."""
        if judged is None or choice is None or choice[0] != judged.run:
            return (gr.skip(),) * 3
        try:
            looked = self._look(open_picture(judged.image), judged, choice[1])
            self.runs.check(judged.run)
        except (PictureError, RunEnded):  # what is there of it stays, or goes with its photograph
            return (gr.skip(),) * 3
        return looked

    def _look(self, picture: np.ndarray, judged: Judged, number: int) -> tuple:
        shown, m = faces_shown(judged.verdict), self.detector.metadata
        if not shown:
            return None, None, ""
        name, face = shown[number]
        crop = Image.fromarray(crop_face(picture, face.box, m.crop_margin, CROP_SIDE, m.resampling))
        view = framed(picture, judged.verdict, number if len(shown) > 1 else None)
        return view, crop, texts.FACE_SAID.format(name, in_100(face.p_fake))

    def face_evidence(self, judged: Judged | None, choice: Choice | None) -> tuple:
        """Occlusion map, scores under small changes and a sentence on them, of the chosen face."""
        if judged is None or choice is None or choice[0] != judged.run or not judged.verdict.faces:
            return _nothing("")
        try:
            found = self._face_evidence(judged, choice[1])
            self.runs.check(judged.run)
        except PictureError:  # the upload was deleted meanwhile
            return _nothing(texts.GONE)
        except RunEnded:
            return (gr.skip(),) * 3
        return found

    def _face_evidence(self, judged: Judged, number: int) -> tuple:
        _, image, _, verdict, stability, _ = judged
        picture, m = open_picture(image), self.detector.metadata
        name, face = faces_shown(verdict)[number]
        crop = crop_face(picture, face.box, m.crop_margin, m.size, m.resampling)
        heat = Image.fromarray(overlay(crop, occlusion_map(self.detector.model, crop)))
        counted = number < len(stability)
        tested = stability[number] if counted else rescore(self.detector, picture, [face])[0]
        view = gr.update(value=heat.resize((HEAT_SIDE, HEAT_SIDE)), label=f"Face {name}", visible=True)
        return view, gr.update(value=bars(tested), visible=True), f"Face {name}. {holds(tested, counted)}"


def _nothing(why: str) -> tuple:
    return gr.update(value=None, visible=False), gr.update(value=None, visible=False), why


def _choices(names: list[str]) -> dict:
    """What can be chosen among faces of these names; of a single one, nothing."""
    choices = [(name, place) for place, name in enumerate(names)]
    return gr.update(choices=choices, value=0 if names else None, visible=len(names) > 1)


def _listed(sentences: list[str]) -> str:
    """A list in HTML: a file's own words among them may not work as markup."""
    return f"<ul>{''.join(f'<li>{html.escape(sentence)}</li>' for sentence in sentences)}</ul>"


def _only(title: str, why: str) -> tuple:
    """A headline and a sentence, see `Photographs.show`, and nothing of any photograph."""
    hidden = gr.update(visible=False)
    return title, None, why, None, None, "", _choices([]), hidden, hidden, hidden, None, None


def _said_of_fakes(detector: Detector, fakes: list[str]) -> str:
    """What the detector says of the examples that are fakes, counted now, so that it is true of this model."""
    labels = Counter(examine(detector, open_picture(fake))[0].label for fake in fakes)
    return texts.EXAMPLES_SAID.format(
        fakes=len(fakes), found=labels[FAKE], unsure=labels[UNSURE], missed=labels[REAL]
    )  # fmt: skip


def photograph_tab(detector: Detector) -> gr.Image:
    """Lay out the tab; returns where the photograph is dropped."""
    events = Photographs(detector)
    with gr.Row():
        with gr.Column():
            photo = gr.Image(
                type="filepath", label="Photograph", height=380, elem_id="photo", buttons=["fullscreen"],
                alt_text="The photograph that is judged",
            )  # fmt: skip
            examples = [str(p) for p in sorted(EXAMPLES.glob("*.jpg"))]
            fakes = [path for path in examples if Path(path).stem.startswith("fake_")]
            gr.Examples(examples, photo, label=texts.EXAMPLES_LABEL, elem_id="examples", api_visibility="private")
            gr.Markdown(_said_of_fakes(detector, fakes), elem_id="examples-said")
        with gr.Column():
            title = gr.Markdown(elem_id="headline")
            with gr.Column(visible=False) as label_area:
                label = gr.Label(label="Verdict", elem_id="label")
            why = gr.Markdown(texts.WAITING, elem_id="why", **PLAIN)
            with gr.Column(visible=False) as faces_area:
                faces = gr.Image(
                    interactive=False, label=texts.FACES_LABEL, elem_id="faces", buttons=["fullscreen"],
                    alt_text=texts.FACES_ALT,
                )  # fmt: skip
                pick = gr.Radio([], label=texts.PICK_LABEL, elem_id="pick", interactive=True, visible=False)
                with gr.Row(elem_id="face"):
                    crop = gr.Image(
                        interactive=False, height=CROP_SIDE, elem_id="crop", buttons=[], show_label=False,
                        alt_text=texts.CROP_ALT, min_width=150, scale=0,
                    )  # fmt: skip
                    about = gr.Markdown(elem_id="about", **PLAIN)
            with gr.Column(visible=False, elem_id="evidence") as evidence_area:
                with gr.Column(visible=False) as behind_area:
                    with gr.Accordion(texts.HEAT_LABEL, open=False):
                        gr.Markdown(CAPTION)
                        heat = gr.Image(
                            interactive=False, height=HEAT_SIDE, elem_id="heat", buttons=[],
                            alt_text="The face, coloured by what the score reacted to",
                        )  # fmt: skip
                    with gr.Accordion(texts.HOLD_LABEL, open=False):
                        gr.Markdown(texts.HOLDS)
                        scores = gr.HTML(elem_id="scores")
                        holding = gr.Markdown(elem_id="holds", **PLAIN)
                with gr.Accordion(texts.CLAIMS_LABEL, open=False):
                    claims = gr.Markdown(elem_id="claims", **PLAIN)
                with gr.Row():
                    report = gr.DownloadButton(texts.JSON_REPORT, elem_id="report")
                    sheet = gr.DownloadButton(texts.PRINTABLE, elem_id="sheet")
    # Nothing is cancelled: Gradio would go on with the work, but lose sight of it. Events of an earlier photograph end
    # in silence, and those of the newest run afterwards.
    begun, judged, choice = (gr.State(time_to_live=texts.KEEP_MINUTES * 60) for _ in range(3))
    looked = [faces, crop, about]
    shown = [title, label, why, *looked, pick, label_area, faces_area, evidence_area, judged, choice]
    private = {"api_visibility": "private", "trigger_mode": "always_last"}
    unqueued = {"queue": False, "show_progress": "hidden", **private}
    # Those that set off others by a State have to go through the queue.
    at_once = {"concurrency_limit": None, "show_progress": "hidden", **private}
    beginning = photo.change(events.begin, [photo, begun], [*shown, begun], **at_once)
    # The headline says that it is under way; Gradio's own sign would cover the photograph after a failure.
    judging = begun.change(events.show, begun, shown, concurrency_id="picture", show_progress="hidden", **private)
    for event in (beginning, judging):
        event.failure(events.fail, None, shown, **unqueued).then(None, js=scroll_to("headline"))
    judging.then(events.settle, [begun, judged], shown, **unqueued).then(None, js=scroll_to("headline"))
    judged.change(
        events.evidence, judged, [claims, report, sheet, behind_area, evidence_area],
        show_progress="hidden", concurrency_id="picture", **private,
    )  # fmt: skip
    pick.select(events.choose, judged, choice, **at_once)
    faces.select(events.point, judged, [choice, pick], **at_once)
    choice.change(
        events.look, [judged, choice], looked, show_progress="hidden", concurrency_id="picture", **private
    )  # fmt: skip
    choice.change(
        events.face_evidence, [judged, choice], [heat, scores, holding],
        show_progress_on=heat, concurrency_id="picture", **private,
    )  # fmt: skip
    return photo
