"""What programs call, and what they are told: the endpoints, and the answers to calls that are wrong, which Gradio
would answer with a traceback."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cached_property
from typing import TypeVar

import page.server.gradio_patches  # noqa: F401  before Gradio

# isort: split
import gradio as gr
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from gradio.blocks import BlockFunction
from gradio.data_classes import APIInfo
from gradio.route_utils import FnIndexInferError
from gradio.state_holder import SessionState
from gradio.utils import get_function_description
from starlette.requests import Request
from starlette.responses import JSONResponse

from deepfake_detect import Detector, PictureError, Verdict, VideoError, VideoVerdict
from deepfake_detect.detector import THOROUGH
from deepfake_detect.errors import BusyError
from page import texts
from page.batch import Named
from page.calls import CALLS, right_call
from page.endpoint_docs import (
    CHECKED,
    LABEL,
    LABELS,
    PICTURE,
    PICTURES,
    VERDICT,
    VERDICTS,
    VIDEO,
    VIDEO_VERDICT,
    described,
)
from page.jobs import NotJudged
from page.server.disconnects import cancel_when_abandoned
from page.server.request_limits import API
from page.tabs.album import Albums
from page.tabs.video import Videos
from page.widgets.components import Film, Photo, PhotoFiles, VerdictLabel, refuse

Result = TypeVar("Result")
# What is wrong with a request itself comes as an exception before there is an event: KeyError or TypeError of the
# functions of Gradio that look up what is called (the routes' own functions have no name) and its arguments.
PARSERS = {("gradio.routes", "_"), ("gradio.route_utils", "get_fn"), ("gradio_client.utils", "construct_args"),
           ("gradio.queueing", "push")}  # fmt: skip


def not_a_tool(endpoint: Callable) -> Callable:
    """Keep an endpoint from the tools of the Model Context Protocol: Gradio cannot describe lists of files there."""
    endpoint._mcp_type = "none"
    return endpoint


class Endpoints:
    """The functions that programs call."""

    def __init__(self, detector: Detector, videos: Videos, albums: Albums):
        self.detector, self.videos, self.albums = detector, videos, albums

    @described(LABEL, image=PICTURE)
    def predict(self, image: str) -> Verdict:
        """Judge the faces in one picture: Real, Fake or Not sure, with the calibrated probabilities of Real and Fake;
        or No face, with none."""
        return self._verdict(image, THOROUGH)

    @described(VERDICT, image=PICTURE, thorough=CHECKED)
    def analyze(self, image: str, thorough: bool = THOROUGH) -> dict:
        """Judge the faces in one picture and return the whole verdict."""
        return self._verdict(image, thorough).to_dict()

    @described(VIDEO_VERDICT, video=VIDEO)
    def analyze_video(self, video: str) -> Iterator[dict]:
        """Judge the faces in one video by frames spread over its whole length; return the verdict and a timeline."""
        yield from _answers(self.videos.judge(video), VideoVerdict.to_dict)

    @not_a_tool
    @described(VERDICTS, images=PICTURES)
    def analyze_batch(self, images: list[Named]) -> Iterator[list[dict]]:
        """Judge the faces in many pictures and return one verdict for each, in the order in which they came."""
        yield from _answers(self.albums.judge(images), list)

    def connect(self, photo: Photo, album: PhotoFiles, film: Film) -> None:
        """Make the endpoints events of buttons that nobody sees, on the components where a visitor drops files."""
        label, verdict = VerdictLabel(visible=False, label="Verdict"), gr.JSON(visible=False, label="Verdict")
        thorough = gr.Checkbox(THOROUGH, visible=False, label=LABELS["thorough"])
        picture, long = {"concurrency_id": "picture"}, {"concurrency_limit": None}
        video, batch = cancel_when_abandoned(self.analyze_video), cancel_when_abandoned(self.analyze_batch)
        gr.Button(visible=False).click(self.predict, photo, label, api_name="predict", **picture)
        gr.Button(visible=False).click(self.analyze, [photo, thorough], verdict, api_name="analyze", **picture)
        gr.Button(visible=False).click(video, film, verdict, api_name="analyze_video", **long)
        gr.Button(visible=False).click(batch, album, verdict, api_name="analyze_batch", **long)

    def _verdict(self, image: str, thorough: bool) -> Verdict:
        try:
            return self.detector.predict_one(image, thorough)
        except PictureError as error:
            raise _as_answer(error) from None


def _answers(steps: Iterator[Result | None], answer: Callable[[Result], object]) -> Iterator[object]:
    """What a long job comes to, and nothing at the steps before. Between two steps it is closed, and thereby the job,
    when a client cancels or has gone."""
    try:
        with closing(steps):
            for result in steps:
                yield gr.skip() if result is None else answer(result)
    except (VideoError, NotJudged, BusyError) as error:
        raise _as_answer(error) from None


def _as_answer(error: Exception) -> gr.Error:
    """What a program is answered: the sentence and, as the title, the error's code."""
    return gr.Error(str(error), title=getattr(error, "code", "Error"), print_exception=False)


class Page(gr.Blocks):
    """Gradio's Blocks, which takes what programs may reasonably send, and refuses everything else with a sentence.

    A file comes as Gradio's clients and its route for uploads give it, as the path of an upload, or as a data: URL,
    whose length the bound of a request limits. Whatever can be left out may be.
    """

    def get_api_info(self, all_endpoints: bool = False, page: str | None = None) -> APIInfo:
        """What programs are told of the endpoints, with descriptions from their docstrings."""
        told = super().get_api_info(all_endpoints, page)
        endpoints = {f"/{fn.api_name}": fn.fn for fn in self.fns.values() if fn.api_visibility == "public"}
        for name, endpoint in told["named_endpoints"].items():
            _, described_as, _ = get_function_description(endpoints[name])
            for parameter in endpoint["parameters"]:
                called = parameter["parameter_name"]
                parameter["label"] = LABELS[called]
                parameter["python_type"] |= {"description": described_as[called]}
        return told

    @cached_property
    def api_told(self) -> APIInfo:
        """The list of the API, made once, as it takes a while. `page.api_list` adds sample values and programs."""
        return self.get_api_info()

    async def process_api(self, *called: object, event_data: gr.EventData | None = None, **how: object) -> dict:
        """What Gradio calls for every event. Of what a client says of it, only the place of a choice goes further:
        Gradio looks for files in the rest."""
        if event_data is not None:
            said = event_data._data if isinstance(event_data._data, dict) else {}
            event_data._data = {"index": said.get("index") if _is_place(said.get("index")) else None}
        return await super().process_api(*called, event_data=event_data, **how)

    async def preprocess_data(
        self, block_fn: BlockFunction, inputs: list, state: SessionState | None, explicit_call: bool = False
    ) -> list:
        """Bring inputs into the one form that Gradio takes. Raises gr.Error."""
        blocks, name = block_fn.inputs, block_fn.api_name if block_fn.api_visibility == "public" else ""
        try:
            if block_fn.fn is None:
                refuse(texts.NO_FUNCTION)
            if len(inputs) > len(blocks):
                refuse(texts.TOO_MANY_VALUES.format(f"/{name}" if name else texts.THIS_EVENT))
            left_out = [getattr(block, "value", None) for block in blocks[len(inputs) :]]
            inputs = [accepted(block, value, name) for block, value in zip(blocks, [*inputs, *left_out], strict=True)]
        except gr.Error as error:
            refuse(f"{error.message} {right_call(name)}".strip())
        return await super().preprocess_data(block_fn, inputs, state, explicit_call)


def _is_place(index: object) -> bool:
    """Whether this is a number, or several: the place of what was chosen, or a point in a picture."""
    numbers = index if isinstance(index, list) else [index]
    return all(type(number) in (int, float) for number in numbers)


def accepted(block: gr.components.Component, value: object, name: str) -> object:
    """A value for an input, as Gradio takes it; `name` is that of the endpoint, "" for an event of the page's own,
    which also tells when a file is taken away. Raises gr.Error."""
    if block.stateful:
        return None  # what the server remembers; nobody sends it
    if hasattr(block, "accept"):
        value = block.accept(value)
        if value is None and name:
            refuse(block.nothing_sent)
        return value
    if isinstance(block, gr.Checkbox):
        if not isinstance(value, bool | None):
            refuse(texts.NO_BOOLEAN)
        return block.value if value is None else value
    if isinstance(block, gr.Slider):
        fits = type(value) in (int, float) and block.minimum <= value <= block.maximum
    elif isinstance(block, gr.Radio):
        fits = value in [choice for _, choice in block.choices]
    elif isinstance(block, gr.Dataset):
        fits = type(value) is int and 0 <= value < len(block.samples)
    else:
        fits = False
    if not fits:
        refuse(texts.BAD_VALUE)
    return value


async def bad_body(request: Request, error: RequestValidationError) -> JSONResponse:
    """The answer to a call whose body is no JSON, or is not of the form that every call has."""
    if f"{API}/call/" not in request.url.path:
        return await request_validation_exception_handler(request, error)
    return _unfit(request)


async def bad_call(request: Request, error: Exception) -> JSONResponse:
    """The answer to a call by names that are wrong or missing, or by a number that is; raises every other error
    again."""
    if _raised_by(error) not in PARSERS:
        raise error
    return _unfit(request)


def _raised_by(error: Exception) -> tuple[str, str]:
    """The module and the function that raised an error."""
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    return trace.tb_frame.f_globals.get("__name__", ""), trace.tb_frame.f_code.co_name


async def no_endpoint(request: Request, error: FnIndexInferError) -> JSONResponse:
    """The answer to a call of an endpoint that there is not."""
    return _unfit(request)


def _unfit(request: Request) -> JSONResponse:
    name = request.url.path.rstrip("/").rpartition("/")[2]
    if name not in CALLS:
        return JSONResponse({"detail": texts.NO_ENDPOINT.format(", ".join(f"/{name}" for name in CALLS))}, 404)
    return JSONResponse({"detail": f"{texts.BAD_BODY} {right_call(name)}"}, 422)


HANDLERS = {
    RequestValidationError: bad_body, FnIndexInferError: no_endpoint, KeyError: bad_call, TypeError: bad_call,
}  # fmt: skip
