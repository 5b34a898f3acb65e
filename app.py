"""The web page and its API: Gradio Blocks over detect/. Start it with `python app.py`."""

import sys
from pathlib import Path

import gradio as gr
import numpy as np
from gradio.components import Component
from gradio.components.label import LabelConfidence, LabelData
from gradio.data_classes import ImageData
from gradio_client.utils import is_http_url_like
from PIL import Image

from detect import Detector, ModelError, PictureError, Verdict, open_picture
from detect.detector import default_model
from detect.explain import CAUTION, MAX_SHOWN, WORDS, explain, face_name, faces_shown, headline
from detect.picture import FORMAT_NAMES, MAX_BYTES
from detect.verdict import FAKE, REAL, UNSURE

EXAMPLES = Path(__file__).parent / "examples"
VIEW_SIDE = 1024  # pixels of the picture that is sent back with its boxes
COLOURS = {REAL: "#1d6fd8", FAKE: "#d1343c", UNSURE: "#8a6d00"}  # beside the word, never instead of it
KEEP_SECONDS = 600  # uploads and results are deleted after this time

TITLE = "Mobile Deepfake Detector"
INTRO = f"""# {TITLE}
Drop a photograph with a face. The detector says whether the face is **real** or **fake**, how sure that is,
and how often it is wrong; where it does not know, it says **not sure**.
{CAUTION} The model is for research and non-commercial use.
Pictures are judged on this server, not kept, and deleted within {2 * KEEP_SECONDS // 60} minutes."""
WAITING = "Drop, paste or take a photograph, or choose an example."
EXAMPLES_LABEL = "Examples: fakes made by this project first, then real portraits"
FAILED = "The picture could not be judged"

CSS = """
#headline h2 { font-size: 1.8rem; margin: 0.2rem 0; }
@media (max-width: 767px) {
    #examples .gallery { flex-wrap: nowrap; overflow-x: auto; }
    #examples .gallery-item { flex: none; }
}
"""
FACE_COLOURS = {face_name(n, name): colour for name, colour in COLOURS.items() for n in range(1, MAX_SHOWN + 1)}
SCROLL_ON_A_PHONE = """() => {
    if (window.innerWidth < 768) document.querySelector("#headline h2")?.scrollIntoView({behavior: "smooth"});
}"""
# Faces are nobody's to keep: no run history, and nothing larger than what would be judged is taken in.
LAUNCH = {"max_file_size": MAX_BYTES, "run_history": False, "ssr_mode": False, "css": CSS, "enable_monitoring": False}


def uploaded_file(component: gr.Image, payload: ImageData | None) -> str | None:
    """What happens to an upload before our functions see it: nothing. `open_picture` is the first to read it."""
    return payload.path if payload else None


def label_data(component: gr.Label, verdict: Verdict | None) -> LabelData | dict:
    """A Verdict as gr.Label shows it: "Not sure" stands above the two probabilities where the detector is unsure."""
    if verdict is None:
        return {}
    confidences = sorted(((verdict.p_fake, FAKE), (1 - verdict.p_fake, REAL)), reverse=True)
    return LabelData(
        label=WORDS[verdict.label],
        confidences=[LabelConfidence(label=WORDS[name], confidence=p) for p, name in confidences],
    )


async def refuse_addresses(component: gr.Image, path: str | Path | None) -> str | None:
    """Before a payload reaches `uploaded_file`, Gradio would download an address, of any size."""
    if is_http_url_like(str(path)):
        raise gr.Error("Send the picture itself, not its address.", print_exception=False)
    return await Component.async_move_resource_to_block_cache(component, path)


# Gradio makes components anew in a session, so a changed instance would not last, and it writes a .pyi file
# beside the source of every subclass. Hence the classes themselves.
gr.Image.preprocess = uploaded_file
gr.Image.async_move_resource_to_block_cache = refuse_addresses
gr.Label.postprocess = label_data


class Page:
    """The functions behind the page and the endpoints."""

    def __init__(self, detector: Detector):
        self.detector = detector

    def predict(self, image: str) -> Verdict:
        """Judge the faces in one picture: "Real", "Fake" or "Not sure", with the calibrated probability of each.

        Args:
            image: a picture file (JPEG, PNG, WebP, BMP, GIF, TIFF or HEIC).

        Returns:
            {"label": "Real" | "Fake" | "Not sure", "confidences": [{"label", "confidence" 0..1}, ...]}
        """
        return self._verdict(image)

    def analyze(self, image: str) -> dict:
        """Judge the faces in one picture and return the whole verdict.

        Args:
            image: a picture file (JPEG, PNG, WebP, BMP, GIF, TIFF or HEIC).

        Returns:
            {"label": "real" | "fake" | "unsure", "p_fake": 0..1, "confidence": 0.5..1, "reasons": [sentences],
            "faces": [{"box": [left, top, right, bottom] in pixels, "score", "p_fake", "label"}]}
        """
        return self._verdict(image).to_dict()

    def show(self, image: str | None) -> tuple:
        """The page's own event: headline, label, explanation, picture with frames, and whether to show those two."""
        if image is None:
            return "", None, WAITING, None, *_visible(False)
        try:
            picture = open_picture(image)
        except PictureError as error:
            return f"## {FAILED}", None, str(error), None, *_visible(False)
        verdict = self.detector.predict([picture])[0]
        sentences = "\n".join(f"- {sentence}" for sentence in explain(verdict, self.detector.metadata))
        shown = _visible(bool(verdict.faces))
        return f"## {headline(verdict)}", verdict, sentences, _with_frames(picture, verdict), *shown

    def _verdict(self, image: str | None) -> Verdict:
        if image is None:
            raise gr.Error(f"No picture was sent. Send a {FORMAT_NAMES} file.", print_exception=False)
        try:
            return self.detector.predict([open_picture(image)])[0]
        except PictureError as error:
            raise gr.Error(str(error), print_exception=False) from None


def _visible(visible: bool) -> tuple:
    return gr.update(visible=visible), gr.update(visible=visible)


def _with_frames(picture: np.ndarray, verdict: Verdict) -> tuple:
    """The picture, at most VIEW_SIDE pixels large, and a labelled frame per face, for gr.AnnotatedImage."""
    view = Image.fromarray(picture)
    view.thumbnail((VIEW_SIDE, VIEW_SIDE))
    scale = view.width / picture.shape[1], view.height / picture.shape[0]
    thick = max(2, max(view.size) // 150)
    frames = []
    for name, face in faces_shown(verdict):
        left, top, right, bottom = (round(x * scale[i % 2]) for i, x in enumerate(face.box))
        frame = np.zeros((view.height, view.width), np.float32)
        frame[top:bottom, left:right] = 1
        frame[top + thick : bottom - thick, left + thick : right - thick] = 0  # the face itself stays untinted
        frames.append((frame, name))
    return view, frames


def build(detector: Detector) -> gr.Blocks:
    """The page for a detector, not yet launched."""
    page = Page(detector)
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(KEEP_SECONDS, KEEP_SECONDS)) as demo:
        gr.Markdown(INTRO)
        with gr.Row():
            with gr.Column():
                photo = gr.Image(type="filepath", label="Photograph", height=380, elem_id="photo")
                gr.Examples(
                    [str(p) for p in sorted(EXAMPLES.glob("*.jpg"))], photo, label=EXAMPLES_LABEL, elem_id="examples"
                )
            with gr.Column():
                title = gr.Markdown(elem_id="headline")
                with gr.Column(visible=False) as label_area:
                    label = gr.Label(label="Verdict", elem_id="label")
                why = gr.Markdown(WAITING, elem_id="why")
                with gr.Column(visible=False) as faces_area:
                    faces = gr.AnnotatedImage(label="Faces", elem_id="faces", height=460, color_map=FACE_COLOURS)
        shown = [title, label, why, faces, label_area, faces_area]
        judged = photo.change(page.show, photo, shown, show_progress_on=photo, api_visibility="private")
        judged.then(None, js=SCROLL_ON_A_PHONE)

        # The endpoints: events of buttons that nobody sees.
        verdict = gr.JSON(visible=False)
        gr.Button(visible=False).click(page.predict, photo, label, api_name="predict")
        gr.Button(visible=False).click(page.analyze, photo, verdict, api_name="analyze")
    return demo.queue(max_size=64, default_concurrency_limit=2)


def main() -> int:
    try:
        detector = Detector(default_model())
    except ModelError as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    build(detector).launch(**LAUNCH)
    return 0


if __name__ == "__main__":
    sys.exit(main())
