"""The web page and its API: Gradio Blocks over detect/. Start it with `python app.py`."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TypeVar

import page.startup  # before Gradio

# isort: split
import gradio as gr
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse

from detect import Detector, ModelError, PictureError, Verdict, VideoError, VideoVerdict, texts
from detect.album import Named
from detect.detector import default_model
from detect.frames import MAX_VIDEO_BYTES, VIDEO_FORMAT_NAMES
from detect.hub import environment_model
from detect.picture import FORMAT_NAMES, MAX_BYTES
from detect.short import measured_in_short
from detect.stability import examine
from detect.turns import BusyError
from page import intake, pictures, sessions  # noqa: F401  how files come in and go out, and what is remembered
from page.bars import CSS as BARS_CSS
from page.listeners import Listeners, while_heard
from page.many import Many, NotJudged, many_tab
from page.photographs import photograph_tab
from page.report import CSS as REPORT_CSS
from page.report import report_tab
from page.uploads import Gate, Sweeper
from page.videos import CSS as VIDEO_CSS
from page.videos import UNPLAYABLE, Videos, video_tab

SWEEP_SECONDS = 60  # between two looks for old uploads
Result = TypeVar("Result")
AT_A_TIME = 2  # pictures: see bench/results.md; each more takes memory for a picture of 50 megapixels
KEEP_SECONDS = texts.KEEP_MINUTES * 60 - SWEEP_SECONDS

CSS = """
#many-table :is(table, tr, [role=row]) { font-family: var(--font); }
#many-table th:not(:first-child) .cell-menu-button { display: flex; }
#many-table th:not(:first-child) .cell-wrap { padding-right: 1.6rem; }
#many-table th .header { white-space: nowrap; overflow-wrap: normal; }
input:focus-visible { outline: 2px solid var(--color-accent) !important; outline-offset: 3px; }
#headline h2 { font-size: 1.8rem; margin: 0.2rem 0; }
#face { flex-wrap: nowrap; align-items: center; }
#crop { flex: none; width: min(240px, 50vw); }
#faces .image-container { padding-top: 2.2rem; }
#faces img { cursor: pointer; max-height: 460px; }
#examples .gallery-item { width: 7rem; }
#examples .gallery-item :is(.container, img) { margin: 0 auto; }
#examples .gallery-item::after {
    content: attr(aria-label); display: block; font-size: var(--text-sm); padding: 0.2rem;
}
@media (max-width: 767px) {
    #examples .gallery { flex-wrap: nowrap; overflow-x: auto; }
    #examples .gallery-item { flex: none; }
}
"""
# A screen reader says the answer when it comes, and what an example is. Tabs are made when they are first opened.
SAY = f"""() => {{
    const names = {json.dumps(texts.EXAMPLE_NAMES)};
    const mark = () => {{
        for (const id of ["headline", "many-headline", "film-headline", "operating-point"])
            document.getElementById(id)?.setAttribute("aria-live", "polite");
        for (const image of document.querySelectorAll("#examples .gallery-item:not([aria-label]) img"))
            image.closest("button").setAttribute("aria-label", names[image.src.split("/").pop().split(".")[0]] ?? "");
    }};
    new MutationObserver(mark).observe(document.body, {{childList: true, subtree: true}});
    mark();
    // What no browser can show leaves no broken image behind.
    for (const [event, seen] of [["error", "hidden"], ["load", "visible"]])
        document.addEventListener(event, ({{target}}) => {{
            if (target.matches?.("#photo .image-frame img")) target.style.visibility = seen;
        }}, true);
}}"""
# The fonts that come with Gradio lack letters in some weights, which would be mixed with those of other fonts.
FONT = [
    gr.themes.Font(name) for name in ("system-ui", "Segoe UI", "Roboto", "Noto Sans", "Liberation Sans", "sans-serif")
]
MONO = [gr.themes.Font(name) for name in ("ui-monospace", "Consolas", "Liberation Mono", "monospace")]


def _busy(request: Request, error: HTTPException) -> JSONResponse:
    """The answer to a request that finds the queue full, in place of Gradio's, which names figures of its own."""
    return JSONResponse({"detail": texts.SERVER_BUSY}, error.status_code)


# Faces are nobody's to keep: no run history, and nothing larger than what would be judged is taken in.
LAUNCH = {
    "max_file_size": MAX_VIDEO_BYTES,
    "run_history": False,
    "ssr_mode": False,
    "theme": gr.themes.Default(font=FONT, font_mono=MONO).set(
        body_text_color_subdued="*neutral_500", link_text_color_dark="*secondary_400"
    ),
    "css": CSS + BARS_CSS + REPORT_CSS + VIDEO_CSS,
    "enable_monitoring": False,
    "app_kwargs": {
        "exception_handlers": {503: _busy},
        "middleware": [
            Middleware(
                Gate,
                upload=2 * 2**30,
                tool=2 * MAX_BYTES,
                other=2**20,
                folder=page.startup.UPLOADS,
                room=8 * 2**30,
                silence=60,
            ),
            Middleware(Listeners),
        ],
    },
}


def not_a_tool(endpoint: Callable) -> Callable:
    """Keep an endpoint from the tools of the Model Context Protocol: Gradio cannot describe lists of files there."""
    endpoint._mcp_type = "none"
    return endpoint


class Endpoints:
    """The functions that programs call."""

    def __init__(self, detector: Detector, videos: Videos, many: Many):
        self.detector, self.videos, self.many = detector, videos, many

    def predict(self, image: str) -> Verdict:
        """Judge the faces in one picture: "Real", "Fake" or "Not sure", with the calibrated probability of each.

        Args:
            image: a picture file (JPEG, PNG, WebP, BMP, GIF, TIFF or HEIC) itself, no address; over MCP a data: URL.

        Returns:
            {"label": "Real" | "Fake" | "Not sure", "confidences": [{"label", "confidence" 0..1}, ...]}
        """
        return self._verdict(image, False)

    def analyze(self, image: str, thorough: bool = False) -> dict:
        """Judge the faces in one picture and return the whole verdict.

        Args:
            image: a picture file (JPEG, PNG, WebP, BMP, GIF, TIFF or HEIC) itself, no address; over MCP a data: URL.
            thorough: look as closely as the page, several times as long: a score that small changes flip is "unsure".

        Returns:
            {"label": "real" | "fake" | "unsure", "p_fake": 0..1, "confidence": 0.5..1, "reasons": [sentences],
            "faces": [{"box": [left, top, right, bottom] in pixels, "score", "p_fake", "label"}]}
        """
        return self._verdict(image, thorough).to_dict()

    def analyze_video(self, video: str) -> Iterator[dict]:
        """Judge the faces in one video by frames spread over its whole length, and return the verdict and a timeline.

        Args:
            video: a video file (MP4, MOV, AVI, MKV or WebM) itself, no address; over MCP as a data: URL.

        Returns:
            {"label": "real" | "fake" | "unsure", "p_fake": 0..1, "confidence": 0.5..1, "reasons": [sentences],
            "faces": [{"number", "label", "p_fake", "has_say", "frames", "first_seconds", "last_seconds", "key_seconds",
            "box": [left, top, right, bottom] in pixels}], "timeline": [{"seconds", "faces": [{"face": number, "box",
            "score", "p_fake"}]}], "seconds", "frames"}
        """
        if video is None:
            raise gr.Error(f"No video was sent. Send an {VIDEO_FORMAT_NAMES} file.", print_exception=False)
        yield from _answers(self.videos.judge(video), VideoVerdict.to_dict)

    @not_a_tool
    def analyze_batch(self, images: list[Named]) -> Iterator[list[dict]]:
        """Judge the faces in many pictures and return one verdict for each, in the order in which they came.

        Args:
            images: picture files (JPEG, PNG, WebP, BMP, GIF, TIFF or HEIC) themselves, no addresses.

        Returns:
            [{"file": its name, "label": "real" | "fake" | "unsure", "p_fake": 0..1, "confidence": 0.5..1, "reasons":
            [sentences], "faces": [{"box": [left, top, right, bottom] in pixels, "score", "p_fake", "label"}]}], or, for
            a file that cannot be read, {"file", "error": a sentence}
        """
        yield from _answers(self.many.judge(images), list)

    def _verdict(self, image: str | None, thorough: bool) -> Verdict:
        if image is None:
            raise gr.Error(f"No picture was sent. Send a {FORMAT_NAMES} file.", print_exception=False)
        try:
            return examine(self.detector, image)[0] if thorough else self.detector.predict_one(image)
        except PictureError as error:
            raise gr.Error(str(error), print_exception=False) from None


def _answers(steps: Iterator[Result | None], answer: Callable[[Result], object]) -> Iterator[object]:
    """What a long job comes to, and nothing at the steps before. Between two steps it is closed, and thereby the job,
    when a client cancels or has gone."""
    try:
        with closing(steps):
            for result in steps:
                yield gr.skip() if result is None else answer(result)
    except (VideoError, NotJudged, BusyError) as error:
        raise gr.Error(str(error), print_exception=False) from None


def build(detector: Detector, at_a_time: int = AT_A_TIME) -> gr.Blocks:
    """The page for a detector, not yet launched; its server judges so many single pictures at a time."""
    videos = Videos(detector)
    many = Many(detector)
    endpoints = Endpoints(detector, videos, many)
    with gr.Blocks(title=texts.TITLE, analytics_enabled=False, delete_cache=(SWEEP_SECONDS, KEEP_SECONDS)) as demo:
        gr.Markdown(texts.INTRO.format(measured_in_short(detector.model.sha256)), elem_id="intro")
        with gr.Tab(texts.PHOTO_TAB):
            photo = photograph_tab(detector)
        with gr.Tab(texts.MANY_TAB):
            album = many_tab(many)
        with gr.Tab(texts.VIDEO_TAB):
            film = video_tab(videos)
        with gr.Tab(texts.REPORT_TAB):
            report_tab(detector)
        demo.load(None, js=SAY)
        demo.load(None, js=UNPLAYABLE)

        # The endpoints: events of buttons that nobody sees.
        label, verdict, thorough = gr.Label(visible=False), gr.JSON(visible=False), gr.Checkbox(visible=False)
        picture = {"concurrency_id": "picture"}
        gr.Button(visible=False).click(endpoints.predict, photo, label, api_name="predict", **picture)
        gr.Button(visible=False).click(endpoints.analyze, [photo, thorough], verdict, api_name="analyze", **picture)
        gr.Button(visible=False).click(
            while_heard(endpoints.analyze_video), film, verdict, api_name="analyze_video", concurrency_limit=None
        )
        gr.Button(visible=False).click(
            while_heard(endpoints.analyze_batch), album, verdict, api_name="analyze_batch", concurrency_id="batch",
            concurrency_limit=None,
        )  # fmt: skip
    return demo.queue(max_size=64, default_concurrency_limit=at_a_time, api_open=False)


def main() -> int:
    try:
        detector = Detector(environment_model() or default_model())
        Sweeper(page.startup.UPLOADS, KEEP_SECONDS, SWEEP_SECONDS).sweep()  # a killed server may have filled the disk
        demo = build(detector)
    except ModelError as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"app.py: {texts.NO_START.format(page.startup.UPLOADS, error.strerror)}", file=sys.stderr)
        return 2

    def kept() -> set[str]:
        return {file for block in demo.blocks.values() for file in getattr(block, "keep_in_cache", ())}

    with Sweeper(page.startup.UPLOADS, KEEP_SECONDS, SWEEP_SECONDS, kept):
        demo.launch(quiet=True, prevent_thread_lock=True, **LAUNCH)
        if demo.mcp_error:  # which quiet keeps to itself
            print(demo.mcp_error, file=sys.stderr)
        print(texts.ADDRESS.format(demo.local_url), flush=True)
        demo.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
