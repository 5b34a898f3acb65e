"""What programs are told of the endpoints: descriptions of what they take and give."""

from collections.abc import Callable

from deepfake_detect.picture.decode import FORMAT_NAMES
from deepfake_detect.video.video_file import VIDEO_FORMAT_NAMES

PICTURE = (
    f"A picture file ({FORMAT_NAMES}) itself, no address; in Python handle_file('photo.jpg'), over MCP a data: "
    "URL, which every program may send where it is short."
)
PICTURES = (
    f"Picture files ({FORMAT_NAMES}) themselves, no addresses; in Python [handle_file('a.jpg'), handle_file('b.jpg')]."
)
VIDEO = (
    f"A video file ({VIDEO_FORMAT_NAMES}) itself, no address; in Python handle_file('clip.mp4'), over MCP a data: URL."
)
CHECKED = "Whether decided faces are scored again after small changes; one whose score these turn round is unsure."
LABEL = (
    '{"label": "Real" | "Fake" | "Not sure" | "No face", "confidences": [{"label": "Real" | "Fake", '
    '"confidence": 0..1}, ...]}, the more probable first; the label is the verdict, which only Not sure leaves '
    "open whatever the probabilities are; No face has no confidences."
)
VERDICT = (
    '{"label": "real" | "fake" | "unsure", "p_fake": 0..1, "confidence": 0.5..1, "reasons": [sentences], '
    '"reason_codes": [codes], "faces": [{"box": [left, top, right, bottom] in pixels, "score", "p_fake", '
    '"label", "kind": of the fake, code or null}], "faces_left_out": number of those that were not judged, '
    '"faces_found": number, "kind": code or null}'
)
VERDICTS = (
    '[{"file": its name, and the fields that /analyze gives}], or, for a file that cannot be read, {"file", '
    '"error": a sentence, "error_code"}.'
)
VIDEO_VERDICT = (
    '{"label": "real" | "fake" | "unsure", "p_fake": 0..1, "confidence": 0.5..1, "reasons": [sentences], '
    '"reason_codes": [codes], "faces": [{"number", "label", "p_fake", "counts", "frames", "first_seconds", '
    '"last_seconds", "key_seconds", "box": [left, top, right, bottom] in pixels, "side": pixels on the longer '
    'one where it is largest, "median_side": the median of those of its frames, "kind": code or null, '
    '"has_say": the same as counts}], "timeline": [{"seconds", "faces": [{"face": number, "box", "score", "p_fake", '
    '"sharpness"}]}], "seconds", "frames", "kind": of the fake, code or null}'
)
# What each endpoint's inputs are called in the list of the API
LABELS = {"image": "Picture", "images": "Pictures", "video": "Video", "thorough": "Check by small changes"}


def described(returns: str, **parameters: str) -> Callable[[Callable], Callable]:
    """Add to the docstring of an endpoint what it takes and gives, each on one line: Gradio reads no further, for the
    list of its API and for the Model Context Protocol."""

    def write(endpoint: Callable) -> Callable:
        taken = "".join(f"\n    {name}: {text}" for name, text in parameters.items())
        endpoint.__doc__ = f"{' '.join(endpoint.__doc__.split())}\n\nArgs:{taken}\n\nReturns:\n    {returns}"
        return endpoint

    return write
