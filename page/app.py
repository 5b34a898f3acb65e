"""The web page: Gradio Blocks over deepfake_detect/, and the server's start. Run it with `python app.py`."""

import argparse
import json
import os
import sys
from collections.abc import Sequence

import page.server.gradio_patches  # noqa: F401  before Gradio

# isort: split
import gradio as gr
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse

from deepfake_detect import Detector, ModelError
from deepfake_detect.cli.arguments import add_model, chosen_model
from deepfake_detect.picture.decode import MAX_BYTES
from deepfake_detect.report.measured_short import measured_in_short
from deepfake_detect.video.video_file import MAX_VIDEO_BYTES
from page import texts
from page.api import HANDLERS, Endpoints, Page
from page.api_list import ROUTES, sample_path
from page.server.bootstrap import NAMED_PORT, UPLOADS, is_port
from page.server.disconnects import ConnectionCounter
from page.server.late_ends import LateEnds
from page.server.request_limits import RequestLimits
from page.server.upload_folder import MAX_STORED, Sweeper
from page.tabs.accuracy import CSS as REPORT_CSS
from page.tabs.accuracy import report_tab
from page.tabs.album import CSS as ALBUM_CSS
from page.tabs.album import Albums, album_tab
from page.tabs.photo import photograph_tab
from page.tabs.photo_view import CSS as PHOTO_CSS
from page.tabs.video import CSS as VIDEO_CSS
from page.tabs.video import UNPLAYABLE, Videos, video_tab
from page.widgets.developers import CSS as DEVELOPERS_CSS
from page.widgets.developers import FILL, developers_html
from page.widgets.drops import DROPS
from page.widgets.score_card import CSS as SCORE_CSS

WEB_PAGE = "WEB_PAGE"  # environment variable: the address at which the page in web/ is served
FIRST_PORT = 7860  # where Gradio begins to look for a free one
SWEEP_SECONDS = 60  # between two looks for old uploads
AT_A_TIME = 2  # pictures: see bench/results.md; each more takes memory for a picture of 50 megapixels
MAX_SESSIONS = 2000  # that are remembered at a time; each of those that look at the page is one
KEEP_SECONDS = texts.KEEP_MINUTES * 60 - SWEEP_SECONDS

CSS = """
.gradio-container .main.app { max-width: 64rem; margin: 0 auto; }
.label-wrap { gap: 0.75rem; align-items: center; text-align: left; min-height: 24px; }
:is(.label-wrap .icon, #examples .label svg, #film-examples .label svg) { flex: none; }
input:focus-visible { outline: 2px solid var(--color-accent) !important; outline-offset: 3px; }
:is(.icon-button, .source-selection button, .label-clear-button, .download-link, footer :is(button, a)) {
    display: inline-flex; align-items: center; justify-content: center; min-width: 24px; min-height: 24px;
}
#foot p { color: var(--body-text-color-subdued); font-size: var(--text-sm); }
:is(#examples, #film-examples) .gallery-item { width: 7rem; }
:is(#examples, #film-examples) .gallery-item :is(.container, img, video) { margin: 0 auto; }
#film-examples video { object-fit: contain; }
:is(#examples, #film-examples) .gallery-item::after {
    content: attr(aria-label); display: block; font-size: var(--text-sm); padding: 0.2rem;
}
@media (max-width: 767px) {
    #intro h1 { font-size: 1.4rem; }
    :is(#examples, #film-examples) .gallery { flex-wrap: nowrap; overflow-x: auto; }
    :is(#examples, #film-examples) .gallery-item { flex: none; }
}
"""
NAMES = {f"{stem}.jpg": name for stem, name in texts.EXAMPLE_NAMES.items()} | {
    f"{stem}.mp4": name for stem, name in texts.VIDEO_NAMES.items()
}
SPOKEN = ("card", "album-card", "film-card")  # element ids of what has `data-say`
# A screen reader says the answer when it comes, and what an example is. Tabs are made when they are first opened.
SAY = f"""() => {{
    const names = {json.dumps(NAMES)};
    // A region of its own for each tab is told to screen readers, once whenever what is to be said changes.
    const regions = {json.dumps(SPOKEN)}.map(id => {{
        const region = document.body.appendChild(document.createElement("div"));
        region.id = `${{id}}-status`;
        region.className = "visually-hidden";
        region.setAttribute("role", "status");
        return [id, region];
    }});
    const mark = () => {{
        for (const [id, region] of regions) {{
            const said = document.querySelector(`#${{id}} [data-say]`)?.dataset.say ?? "";
            if (region.textContent !== said) region.textContent = said;
        }}
        document.getElementById("operating-point")?.setAttribute("aria-live", "polite");
        for (const shown of document.querySelectorAll(
            ":is(#examples, #film-examples) .gallery-item:not([aria-label]) :is(img, video)"))
            shown.closest("button").setAttribute("aria-label", names[shown.src.split("/").pop()] ?? "");
    }};
    new MutationObserver(mark).observe(document.body, {{
        childList: true, subtree: true, attributeFilter: ["data-say"],
    }});
    mark();
    // A face is chosen by its name, or by its frame in the picture.
    document.addEventListener("click", ({{target}}) => {{
        const frame = target.closest?.("#card [data-face]");
        if (frame) document.querySelectorAll("#pick input")[frame.dataset.face]?.click();
    }});
    document.addEventListener("change", ({{target}}) => {{
        const names = [...document.querySelectorAll("#pick input")];
        if (names.includes(target)) for (const frame of document.querySelectorAll("#card [data-face]"))
            frame.classList.toggle("chosen", Number(frame.dataset.face) === names.indexOf(target));
    }});
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
    "_frontend": False,  # else Gradio asks its own page once, for 3 s, and does not start on a machine that is slower
    "max_file_size": MAX_VIDEO_BYTES,
    "run_history": False,
    "ssr_mode": False,
    "theme": gr.themes.Default(font=FONT, font_mono=MONO).set(
        body_text_color_subdued="*neutral_500",
        link_text_color_dark="*secondary_400",
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="*neutral_400",
    ),
    "css": CSS + SCORE_CSS + PHOTO_CSS + ALBUM_CSS + REPORT_CSS + VIDEO_CSS + DEVELOPERS_CSS,
    "enable_monitoring": False,
    "state_session_capacity": MAX_SESSIONS,
    "app_kwargs": {
        "routes": ROUTES,
        "exception_handlers": {503: _busy, **HANDLERS},
        "middleware": [
            Middleware(
                RequestLimits,
                upload=2 * 2**30,
                tool=2 * MAX_BYTES,
                other=2**20,
                folder=UPLOADS,
                max_stored=MAX_STORED,
                idle_timeout=60,
            ),
            Middleware(ConnectionCounter),
            Middleware(LateEnds),
        ],
    },
}


def build(detector: Detector, at_a_time: int = AT_A_TIME) -> gr.Blocks:
    """The page for a detector, not yet launched; its server judges so many single pictures at a time."""
    videos, albums = Videos(detector), Albums(detector)
    with Page(title=texts.TITLE, analytics_enabled=False, delete_cache=(SWEEP_SECONDS, KEEP_SECONDS)) as demo:
        elsewhere = os.environ.get(WEB_PAGE, "")
        gr.Markdown(texts.INTRO + (texts.WITHOUT_UPLOAD.format(elsewhere) if elsewhere else ""), elem_id="intro")
        with gr.Tabs() as tabs:
            with gr.Tab(texts.PHOTO_TAB, id=texts.PHOTO_TAB):
                photo = photograph_tab(detector)
            with gr.Tab(texts.ALBUM_TAB, id=texts.ALBUM_TAB):
                album = album_tab(albums, photo, tabs)
            with gr.Tab(texts.VIDEO_TAB, id=texts.VIDEO_TAB):
                film = video_tab(videos)
            with gr.Tab(texts.REPORT_TAB, id=texts.REPORT_TAB):
                report_tab(detector)
        gr.Markdown(texts.FOOT.format(measured_in_short(detector.model.sha256)), elem_id="foot")
        with gr.Accordion(texts.DEVELOPERS_LABEL, open=False):
            gr.HTML(developers_html(sample_path(demo.blocks.values(), "image")), elem_id="developers")
        for script in (SAY, DROPS, FILL):
            demo.load(None, js=script)
        demo.load(None, js=UNPLAYABLE)
        Endpoints(detector, videos, albums).connect(photo, album, film)
    demo.queue(max_size=64, default_concurrency_limit=at_a_time, api_open=False)
    return demo


def main(words: Sequence[str] | None = None) -> int:
    """Serve the page until it is stopped; returns the exit status."""
    arguments = _parser().parse_args(words)
    if arguments.port is None and NAMED_PORT is not None:  # which Gradio would replace by another where it is taken
        if not is_port(NAMED_PORT):
            print(f"app.py: {texts.NO_PORT.format(NAMED_PORT)}", file=sys.stderr)
            return 2
        arguments.port = int(NAMED_PORT)
    try:
        detector = Detector(chosen_model(arguments))
        Sweeper(UPLOADS, KEEP_SECONDS, SWEEP_SECONDS).sweep()  # a killed server may have filled the disk
        demo = build(detector)
    except ModelError as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"app.py: {texts.NO_START.format(UPLOADS, error.strerror)}", file=sys.stderr)
        return 2

    def examples() -> set[str]:
        return {file for block in demo.blocks.values() for file in getattr(block, "keep_in_cache", ())}

    with Sweeper(UPLOADS, KEEP_SECONDS, SWEEP_SECONDS, examples):
        try:
            demo.launch(
                server_name=arguments.host, server_port=arguments.port, quiet=True, prevent_thread_lock=True, **LAUNCH
            )
        except OSError:
            print(f"app.py: {texts.NO_ADDRESS.format(arguments.port or FIRST_PORT)}", file=sys.stderr)
            return 2
        if demo.mcp_error:  # which quiet keeps to itself
            print(demo.mcp_error, file=sys.stderr)
        print(texts.ADDRESS.format(demo.local_url), flush=True)
        demo.block_thread()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("app.py", description="Serve the web page of the deepfake detector, and its API.")
    add_model(parser)
    parser.add_argument("--host", help="the address to listen at (default: GRADIO_SERVER_NAME, otherwise 127.0.0.1)")
    parser.add_argument("--port", type=_port, help="the port (default: GRADIO_SERVER_PORT, otherwise 7860 and up)")
    return parser


def _port(word: str) -> int:
    if not is_port(word):
        raise argparse.ArgumentTypeError(f"{word!r} must be a number from 1 to 65535")
    return int(word)
