"""What the page in web/ says in English."""

from deepfake_detect.picture.provenance import CAVEAT
from deepfake_detect.report import card_texts as card
from deepfake_detect.report.evaluation_texts import limits
from deepfake_detect.report.sentences import CAUTION, CLAIM_KINDS, CLAIMED_AI, LIKE, NO_CLAIMS, TOOL

FORMATS = "JPEG, PNG, WebP, AVIF, GIF or BMP"  # that browsers read; Safari reads HEIC and TIFF as well

# Faults that only a browser has
FAULTS = {
    "WEB_UNKNOWN": f"This is not a picture in a format read here. Choose a {FORMATS} file.",
    "WEB_VIDEO": (
        "This is a video, and this page judges photographs. Save a frame that shows the face large and choose that, or "
        "send the video to the page on a server or to the command line."
    ),
    "WEB_FORMAT": f"This browser does not read such files. Save the picture as a {FORMATS} file.",
    "WEB_UNREADABLE": "The browser cannot read this file: it may have been moved, changed or deleted. Choose it again.",
    "PIXELS_CHANGED": (
        "This browser changes the pixels that a page reads, as some do against tracking, so a verdict would mean "
        "nothing. Allow this page to read canvas data, or use another browser."
    ),
    "LOGITS_CHANGED": (
        "The network gives other numbers on this device than it should, so a verdict would mean nothing. Try another "
        "browser or device."
    ),
    "NO_START": "The detector could not be loaded: {}. Load the page again.",
    "ASSET_CHANGED": "{} is not the file that belongs to this page. Load the page again, or ask whoever runs it.",
    "FAILED": "The picture could not be judged: {}. Load the page again.",
}

# Codes that only a browser has, beside `deepfake_detect.errors.CODES`; the page shows the meaning of the last
CODES = {
    "pixels_changed": "The browser changes the pixels that a page reads, so that nothing can be judged.",
    "logits_changed": "The network gives other numbers in this browser than it should.",
    "failed": "The page's own program broke down.",
    "claims_not_read": (
        "What this file says of itself was not read: the browser reads that of JPEG, PNG, WebP and TIFF files alone."
    ),
}

PAGE = {
    "title": TOOL,
    "words": card.HEADLINES,
    "icons": card.ICONS,
    "said": card.SAID,
    "leans": card.LEANS,
    "why": card.WHY,
    "unsure_why": card.UNSURE_WHY,
    "advice": card.ADVICE,
    "uncounted": card.UNCOUNTED,
    "warned": card.WARNED,
    "file_says": card.FILE_SAYS,
    "made": card.MADE,
    "edited": card.EDITED,
    "claimed_ai": CLAIMED_AI,
    "claims": card.CLAIMS,
    "claims_caveat": CAVEAT,
    "no_claims": NO_CLAIMS,
    "claim_kinds": CLAIM_KINDS,
    "facts": card.FACTS,
    "fact_names": card.FACT_NAMES | {"engines": "Network run by"},
    "pixels": card.PIXELS,
    "bytes": "{} bytes",
    "of_version": "version {}",
    "limits": limits(),
    "face": card.FACE,
    "faces": card.FACES,
    "like": LIKE,
    "gauge": card.GAUGE,
    "range": card.RANGE,
    "holds": {"title": card.HOLDS, "as_is": card.AS_IT_IS},
    "caution": CAUTION,
    "private": (
        "Is a face real or fake? This page says which, or that it is not sure. It judges on this device: no picture is "
        "sent anywhere."
    ),
    "choose": "Choose photographs, or drop or paste them here",
    "camera": "Use the camera",
    "results": "Verdicts",
    "starting": "Loading the detector, once",
    "as_file": (
        "Browsers run this page from a web server alone, not as a file. Run “python -m http.server” in its folder, and "
        "open localhost:8000."
    ),
    "not_loaded": "The page could not be loaded whole. Load it again, or ask whoever runs it.",
    "noscript": "This page needs JavaScript, as all of it runs in the browser.",
    "licence": "The model is for research and non-commercial use.",
    "with_server": "The same on a server, for videos, albums and programs as well",
    "pasted": "pasted picture",
    "ready": "Ready. Choose, drop or paste a photograph.",
    "judging": "Judging {}",
    "done": "{}: {}",
    "offline": "Kept on this device: it works without a connection.",
    "not_offline": "This browser does not keep the page for use without a connection.",
    "version": "Version {}, model {}, SHA-256 {}",
    "engines": {"wasm": "WebAssembly", "webgpu": "WebGPU"},
    "engine": "The network is run by {}{}.",
    "engine_why": {  # the codes of web/model/gpu.js
        "first": "",
        "fast": ", as the graphics card gives the same numbers and is no slower",
        "asked": ", as the address of this page asks for",
        "int8": ", as the smaller model file is for processors",
        "no_gpu": ", as this browser offers no graphics card",
        "save_data": ", as this browser is to save data, and what the graphics card takes would have to be loaded",
        "not_fetched": ", as what the graphics card takes could not be loaded, or is not what belongs to this page",
        "disagrees": ", as the graphics card gives other numbers",
        "slower": ", as the graphics card is slower",
        "failed": ", as the graphics card cannot be used here",
        "lost": ", as the graphics card is gone",
    },
    "thorough": "Check thoroughly",
    "thorough_failed": "The thorough check failed, so this is still the verdict of the first one. {}",
    "json": "Download as JSON",
    "print": "Print",
    "clear": "Clear all",
    "remove": "Remove {}",
}  # fmt: skip
