"""What the card of a photograph says in English: on the page, in the browser without a server, and in print."""

from collections.abc import Mapping

from deepfake_detect.report.sentences import ceil_percent
from deepfake_detect.verdict import FAKE, NO_FACE, REAL, UNSURE

ICONS = {FAKE: "⚠", REAL: "✓", UNSURE: "?", NO_FACE: "–"}  # a category is never told by its colour alone
HEADLINES = {FAKE: "Likely fake", REAL: "No sign of a fake", UNSURE: "Not sure", NO_FACE: "No face"}
SAID = {
    FAKE: "The image is Fake",
    REAL: "The image is Real",
    UNSURE: "Not sure whether the image is real or fake",
    NO_FACE: "No face was found",
}
LEANS = {FAKE: "leans fake, not enough to say", REAL: "leans real, not enough to say"}
WHY = {
    FAKE: "The face shows what the faces of fakes showed in training.",
    REAL: "The face shows nothing that the faces of fakes showed in training.",
    UNSURE: "Try the original file, a larger copy, or another picture of the same moment.",
    NO_FACE: "Choose a picture that shows a face larger, sharper or from the front.",
}
# What made a verdict unsure, the first that applies; the codes are those of `deepfake_detect.verdict.REASONS`
UNSURE_WHY = {
    "unstable": "Small changes, such as saving it again, turn the score round.",
    "among_many_faces": "Some of the faces look fake, but too few among so many.",
    "face_too_small": "The face is small, so that its score says little.",
    "enlarged": "The face has less detail than pixels, and its score lies where the detector is often wrong.",
    "blurred": "The face is blurred, and its score lies where the detector is often wrong.",
    "faces_disagree": "The faces got different verdicts.",
    "uncertain": "The score lies where the detector is often wrong.",
}
# What to do next, where something better than the usual advice is known
ADVICE = {
    "face_too_small": "Find the original or a larger copy, not an enlarged one.",
    "enlarged": "Find the original: enlarging adds no detail.",
    "blurred": "Find the original or a sharper picture of the same moment.",
    "among_many_faces": "Look at the faces one by one, or at a crop around one of them.",
    "faces_disagree": "Look at the faces one by one.",
    "unstable": "Try the original file, or a crop around the face.",
}
UNCOUNTED = "Small changes turn the score round, which the verdict does not take in: rely on it the less."
WARNED = {
    "face_too_small": "A face is small: expect less.",
    "blurred": "A face is blurred: expect less.",
    "enlarged": "A face has less detail than pixels: expect less.",
}
FILE_SAYS = {
    FAKE: "Likely fake, and its file says AI {} it",
    REAL: "Looks real, but its file says AI {} it",
    UNSURE: "Not sure, but its file says AI {} it",
    NO_FACE: "No face, but its file says AI {} it",
}
MADE, EDITED = "made", "edited"
FACE = "Face {}: {}"
FACES = "Faces, the most suspicious first"
GAUGE = "{} in 100 that it is fake"
RANGE = "{} to {} in 100 that it is fake, depending on small changes"
HOLDS, AS_IT_IS = "Does it hold?", "as it is"
FACTS = "How to check it"
FACT_NAMES = {
    "file": "File",
    "size": "Size",
    "file_sha256": "SHA-256 of the file",
    "model": "Model",
    "model_sha256": "SHA-256 of the model",
    "judged": "Judged",
    "page": "Page",
}
PIXELS = "{} x {} pixels"
BYTES = "{} bytes"
CLAIMS = "What the file says of itself"

WRONG = {
    FAKE: "Of 100 real photographs, {} were called fake when this was measured ({}).",
    REAL: "Of 100 fakes, {} passed as real when this was measured ({}).",
}
UNDECIDED = "It said “Not sure” to {} of 100 pictures when this was measured ({})."
SPLITS = {"test": "kinds of fakes it was trained on", "cross": "sources it never saw"}
NOT_MEASURED = "How often this model file is wrong has not been measured."


def error_rates(reports: Mapping[str, dict]) -> dict[str, str]:
    """One sentence for each verdict: how often it is wrong on clean pictures, of the worse of the splits.

    Args:
        reports: by split, see `deepfake_detect.report.evaluation.read_report`; empty of a model that was not measured.

    Returns:
        {"fake" | "real" | "unsure": sentence}
    """
    rates: dict[str, list[tuple[float, str]]] = {FAKE: [], REAL: [], UNSURE: []}
    for split, report in reports.items():
        clean = report["tiers"]["clean"]
        counts, decided = clean["all"]["confusion"], clean["decided"]
        photographs, fakes = (counts[f"{kind}_as_real"] + counts[f"{kind}_as_fake"] for kind in (REAL, FAKE))
        rates[FAKE].append((decided["said_fake"]["wrong"] / photographs, split))
        rates[REAL].append((decided["said_real"]["wrong"] / fakes, split))
        rates[UNSURE].append((1 - decided["coverage"], split))
    if not reports:
        return dict.fromkeys(rates, NOT_MEASURED)
    told = {}
    for label, found in rates.items():
        share, split = max(found)
        told[label] = WRONG.get(label, UNDECIDED).format(ceil_percent(share).removesuffix(" %"), SPLITS[split])
    return told
