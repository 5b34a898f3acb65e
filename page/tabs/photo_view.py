"""How the tab for one photograph is laid out, and what it shows where there is none."""

from dataclasses import dataclass, fields

import gradio as gr
from gradio.components import Component

from page import texts
from page.jobs import Update
from page.widgets.components import Photo, another_button, name_of
from page.widgets.score_card import failure_html, notice_html

PLAIN = {"latex_delimiters": []}  # a file's own words are no formulas
CSS = """
.another { align-self: start; flex: none; width: auto !important; padding-inline: 1rem; }
body:has(:is(#card .picture, #photo img[style*="hidden"])) #photo { display: none; }
body:not(:has(:is(#card .picture, #photo img[style*="hidden"]))) #another-photo { display: none; }
#photo-tab, #album-tab, #video-tab { gap: 0.75rem; }
#pick .wrap { gap: 0.4rem; }
#pick label { min-height: 2.25rem; }
#map .heat { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; }
#map img { width: min(20rem, 100%); margin: 0; }
#map .legend { flex: 1; min-width: 14rem; }
#map .scale { height: 1rem; }
#map .ends { display: flex; justify-content: space-between; gap: 0.5rem; font-size: var(--text-sm); }
"""


@dataclass(frozen=True)
class PhotoView:
    """The components in which a photograph and its verdict are shown."""

    card: gr.HTML
    pick: gr.Radio
    face: gr.HTML
    evidence_area: gr.Column
    face_area: gr.Column  # of the evidence for a face
    heat: gr.HTML
    scores: gr.HTML
    holding: gr.Markdown
    claims: gr.Markdown
    report: gr.DownloadButton
    sheet: gr.DownloadButton
    judged: gr.State  # a PhotoResult, for the other events
    choice: gr.State  # which of its faces is looked at

    @property
    def components(self) -> list[Component]:
        return [getattr(self, field.name) for field in fields(self)]

    @property
    def of_face(self) -> list[Component]:
        """What is shown of the chosen face, beside its map."""
        return [self.face, self.scores, self.holding]

    @property
    def files(self) -> list[Component]:
        """What offers the files of the result."""
        return [self.report, self.sheet]

    def only(self, card: str) -> Update:
        """A card, and nothing of any photograph."""
        hidden, no_file = gr.update(visible=False), gr.update(value=None, visible=False)
        return {
            **dict.fromkeys(self.components),
            self.card: card,
            self.pick: choices_of([]),
            **dict.fromkeys([self.evidence_area, self.face_area], hidden),
            **dict.fromkeys([self.face, self.heat, self.scores], gr.update(value=None, visible=False)),
            **dict.fromkeys(self.files, no_file),
        }

    def notice(self, headline: str, sentence: str = "") -> Update:
        """A headline and a sentence, and nothing of any photograph."""
        return self.only(notice_html(headline, sentence))

    def failure(self, sentence: str, image: str) -> Update:
        """Why a photograph could not be judged, and which."""
        return self.only(failure_html(texts.FAILED, sentence, name_of(image)))


def choices_of(names: list[str]) -> dict:
    """What can be chosen among faces of these names; of a single one, nothing."""
    choices = [(name, place) for place, name in enumerate(names)]
    return gr.update(choices=choices, value=0 if names else None, visible=len(names) > 1)


def lay_out(examples: list[str], about_examples: str) -> tuple[Photo, PhotoView]:
    """Lay out the tab; returns where the photograph is dropped, and what shows the verdict.

    Args:
        examples: pictures to choose from.
        about_examples: a sentence on them.
    """
    with gr.Column(elem_id="photo-tab"):
        photo = Photo(
            type="filepath", label="Photograph", height=300, elem_id="photo", buttons=[],
            alt_text="The photograph that is judged",
        )  # fmt: skip
        another_button(texts.ANOTHER_PHOTO, "photo")
        card = gr.HTML(elem_id="card")
        pick = gr.Radio([], label=texts.PICK_LABEL, elem_id="pick", interactive=True, visible=False)
        face = gr.HTML(elem_id="face", visible=False)
        with gr.Column(visible=False, elem_id="evidence") as evidence_area:
            with gr.Column(visible=False) as face_area:
                with gr.Accordion(texts.HEAT_LABEL, open=False):
                    heat = gr.HTML(elem_id="map")
                with gr.Accordion(texts.HOLD_LABEL, open=False):
                    gr.Markdown(texts.HOLDS)
                    scores = gr.HTML(elem_id="scores", elem_classes="scores")
                    holding = gr.Markdown(elem_id="holds", **PLAIN)
            with gr.Accordion(texts.CLAIMS_LABEL, open=False):
                claims = gr.Markdown(elem_id="claims", **PLAIN)
            with gr.Accordion(texts.REPORT_LABEL, open=False), gr.Row():
                report = gr.DownloadButton(texts.JSON_REPORT, elem_id="report", visible=False)
                sheet = gr.DownloadButton(texts.PRINTABLE, elem_id="sheet", visible=False)
        gr.Examples(examples, photo, label=texts.EXAMPLES_LABEL, elem_id="examples", api_visibility="private")
        gr.Markdown(about_examples, elem_id="examples-said")
    judged, choice = (gr.State(time_to_live=texts.KEEP_MINUTES * 60) for _ in range(2))
    view = PhotoView(
        card, pick, face, evidence_area, face_area, heat, scores, holding, claims, report, sheet, judged, choice
    )  # fmt: skip
    return photo, view
