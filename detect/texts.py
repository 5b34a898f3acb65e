"""What the page says in English, so that a translation can take it; sentences that hold figures or faults stand beside
what computes them.

That is: verdicts and their reasons in explain, detector, quality, stability and video; what is wrong with a file in
picture and frames, and with too many of them in album; what a file says of itself in claims; the occlusion map's
caption in heatmap; the report's sentences and tables in figures and short; the printed page in printout. Labels of
single boxes and columns stand in page/, what programs are told of the endpoints in app.py."""

from detect.album import MAX_PICTURES
from detect.explain import CAUTION, TOOL
from detect.frames import MAX_FRAMES, MAX_SECONDS, MAX_VIDEO_BYTES, VIDEO_FORMAT_NAMES
from detect.picture import FORMAT_NAMES

KEEP_MINUTES = 20  # after which uploads and results are deleted at the latest

TITLE = TOOL
INTRO = f"""# {TITLE}
Drop a photograph or a video with a face. The detector says whether the face is **real** or **fake**, how sure that
is, and how often it is wrong; where it does not know, it says **not sure**. {{}}
{CAUTION} The model is for research and non-commercial use.
What you send is judged on this server, not kept, and deleted within {KEEP_MINUTES} minutes."""
# Short enough to stand side by side on a telephone
PHOTO_TAB, MANY_TAB, VIDEO_TAB, REPORT_TAB = "Photo", "Many", "Video", "How sure?"
WAITING = "Drop, paste or take a photograph, or choose an example."
EXAMPLES_LABEL = "Examples: fakes made by this project first, then real portraits"
EXAMPLES_SAID = (
    "Of the {fakes} fakes above, which this project made by hand, the detector calls {found} fake; it is not sure of "
    "{unsure}, and calls {missed} real."
)
EXAMPLE_NAMES = {
    "fake_self_blend_1": "Fake: Hopper, altered",
    "fake_self_blend_2": "Fake: Tesla, altered",
    "fake_swap": "Fake: Hopper on Tesla",
    "group_portraits": "Real: three faces",
    "real_eileen_collins": "Real: Eileen Collins",
    "real_grace_hopper": "Real: Grace Hopper",
    "real_nikola_tesla": "Real: Nikola Tesla",
}
PHOTO_JUDGING = "Judging the photograph"
FAILED = "The picture could not be judged"
ADDRESS = "The page is at {} (Ctrl-C stops it)"
NO_START = "The page cannot write to {}: {}. Make room there, or name another folder in GRADIO_TEMP_DIR."
NO_PORT = "GRADIO_SERVER_PORT is {!r}, which is no port. Give a number from 1 to 65535, or leave it out."
SERVER_FAILED = "The server is busy or could not go on. Try again in a moment."
GONE = f"What you sent was deleted, as everything is within {KEEP_MINUTES} minutes. Send it again."
NO_ROOM = "This server cannot write its results: its disk may be full. Try again later."
SERVER_BUSY = "This server is busy: too many requests are waiting. Try again in a moment."
UPLOADS_FULL = "This server has no room for files at the moment. Try again in a few minutes."
TOO_LARGE = "This is more than the server takes at a time. Send less, or in parts."
CUT_OFF = "The rest of this did not arrive. Send it again."
UNHEARD = "Nobody waited for this answer, so it was given up. Send the request again, and read its answer at once."
VIDEO_WAITING = f"""Choose a video: {VIDEO_FORMAT_NAMES}, at most {MAX_SECONDS // 60} minutes and
{MAX_VIDEO_BYTES >> 20} MB. Up to {MAX_FRAMES} frames, spread over its whole length, are judged, and every face is
followed. Sound is not listened to. Where this browser cannot play a video, it is judged all the same."""
VIDEO_FAILED = "The video could not be judged"
MAX_WAITING = 3  # videos that may wait for their turn, and albums: all are through before uploads are deleted
VIDEO_BUSY = "Too many videos are waiting to be judged. Try again in a few minutes."
VIDEO_TURN = "Waiting: another video is being judged"
VIDEO_BEGUN = "Reading the video"
VIDEO_JUDGING = "Judging the video"
FRAMES_DONE = "Frame {} of {}"
UNPLAYABLE = "This browser cannot play this video; it is judged all the same."
TIMELINE_BAND = "Straight lines: “Real” is said up to {:.2f}, “Fake” from {:.2f} upwards, “Not sure” between the two."
STILLS_LABEL = "Typical frames, at most {}, the most suspicious faces first"
STOPPED = "Stopped"
STOP, AGAIN = "Stop", "Judge it again"
MANY_WAITING = f"""Choose up to {MAX_PICTURES} pictures: {FORMAT_NAMES}. Each is judged as it is; whether its score
holds under small changes is tried for single photographs, in the tab “{PHOTO_TAB}”."""
MANY_FAILED = "The pictures could not be judged"
TOO_MANY = "These are {} files; at most {} are judged at a time. Send them in parts."
MANY_BUSY = "Too many people are waiting with their pictures. Try again in a few minutes."
MANY_TURN = "Waiting: other pictures are being judged"
MANY_BEGUN = "Reading the pictures"
MANY_JUDGING = "Judging the pictures"
MANY_DONE = "{} of {} pictures judged"
NO_PICTURES = f"No pictures were sent. Send {FORMAT_NAMES} files."
STOPPING = "Stopping"
MANY_AGAIN = "Judge them again"
MANY_ORDER = f"""The most suspicious first; “Chance” is that of being fake, in 100. The menu at the head of a column (⋮)
sorts by it. Sorts add up: choose “Clear sort” in the same menu before sorting by another column.
The tab “{PHOTO_TAB}” looks more closely, and may say “Not sure” to a picture that is decided here. {CAUTION}"""
UNREAD, NOT_TRIED = "Unreadable", "Untried"  # beside the words of verdicts; both sort after them
CSV, JSON = "Download as CSV", "Download as JSON"
FACES_LABEL = "The faces; click one to see it alone"
FACES_ALT = "The photograph, with its faces framed and numbered as in the text"
PICK_LABEL = "Face, the most suspicious first"
CROP_ALT = "The chosen face alone"
FACE_SAID = "**Face {}**, with a chance of {} that it is fake."
HEAT_LABEL = "What the score reacted to"
HOLD_LABEL = "Does the score hold?"
HOLDS = "The same face, changed in small ways that leave it as real or fake as before, and scored again."
CLAIMS_LABEL = "What the file says of itself"
JSON_REPORT, PRINTABLE = "Report as JSON", "Page to print"

REPORT_TITLE = "How sure is this?"
NO_REPORT = "How often this model is wrong cannot be shown: no report on it lies in this project's folder reports/."
FOREIGN_REPORT = (
    "How often this model is wrong is not known: the report in this project's folder reports/ is of another model "
    "file, and its figures are not shown here."
)
DAMAGED_REPORT = "How often this model is wrong cannot be shown: the report in the folder reports/ cannot be read."
STATES = {
    "clean": "as the file is",
    "web": "saved again as a web page does it, at most 768 pixels and JPEG quality 60",
    "hard": "saved again as a messenger does it, at most 512 pixels and JPEG quality 40",
}
THOROUGH = (
    f"The tab “{PHOTO_TAB}” looks more closely than was counted here: where a small change of a face turns its score "
    "round, it says “Not sure” as well. On videos nothing has been counted yet."
)
BARS_LABEL = "All that was asked of the detector beforehand, met or missed"
GLOSSARY = (
    "**AUC**: how often a fake gets a higher score than a photograph, both drawn at random; 1 is perfect, 0.5 is a "
    "coin. **ECE**: how far the stated chance is off on average; 0.05 means 5 points in 100. **Balanced accuracy**: "
    "the mean of the photographs and the fakes that are told rightly. **Macro**: the mean of all sources."
)
POINT_TITLE = "## Fewer false alarms, or more fakes found?"
POINT_INTRO = (
    "The score has to be cut somewhere. A **false alarm** is a real photograph that is called fake, and the **false "
    "alarm rate** says how many of 100 real photographs that happens to. Fewer false alarms always cost fakes that "
    "slip through. Try what was measured; as the cut is chosen on these very pictures, expect somewhat worse on others:"
)
POINT_SLIDER = "False alarms allowed, of 100 real photographs"
POINT_STATE = "State of the pictures"
POINT_BAND = (
    "This slider changes nothing in the other tabs. There, “Real” is said up to a chance of {:.2f} that a face is "
    "fake, and “Fake” from {:.2f} upwards; between the two the answer is “Not sure”."
)
POINT_CURVE = (
    "The curve: all thresholds that were measured. The dot: the one chosen. The square: what this page itself does "
    "where it says “Fake”."
)
POINT_OWN = "this page"
POINT_X, POINT_Y = "real photographs called fake", "fakes found"
RELIABILITY_TITLE = "## Is a chance of 80 in 100 really 80 in 100?"
RELIABILITY_READ = (
    "How to read it: pictures are put together by the chance of being fake that the detector gave them, from left to "
    "right; the height says how many of them were fake. Points on the grey line are right, points under it were called "
    "fake too readily, points above it too rarely."
)
RELIABILITY_ALT = (
    "Reliability diagram: the share of pictures that were fake over the chance that the detector gave, for clean, web "
    "and hard pictures, beside the diagonal of a detector that is right about itself"
)
DEGRADATION_TITLE = "## When pictures get worse"
DEGRADATION_READ = (
    "How to read it: from left to right pictures are compressed more (above) or made smaller (below); the "
    "further a line falls, the more is lost. The dotted line is a coin."
)
DEGRADATION_ALT = "Two line charts: AUC and balanced accuracy over JPEG quality, and over the scale of the picture"
ROUNDING = "Good figures are cut off rather than rounded up, rates of error never rounded down."
SOURCES_TITLE = "## By kind of fake and place of origin"
SOURCES_READ = (
    "**Detected** are fakes called fake, **false alarms** are real photographs called fake; both are counted as if the "
    "detector always had to decide, without “Not sure”. AUC is explained above. A source with few pictures says little."
)
SOURCES_CAPTION = "Sources whose other pictures the model was trained on"
CROSS_TITLE = "### Generators it never saw"
CROSS_READ = (
    "No fake of these generators was among the training pictures, which is nearer to what a stranger's fake is. These "
    "pictures were looked at when choosing between ways to train, so they are a second opinion, not a test."
)
CROSS_CAPTION = "Generators that the model was not trained on, and photographs that it had not seen"
NO_CROSS = "What the detector does with generators it never saw has not been measured of this model."
ALL_PICTURES, MEAN_OF_SOURCES = "All pictures", "Mean of the sources"
# What the sources of the reports are: name, and what their pictures show.
SOURCES = {
    "aaf": ("All-Age-Faces", "photographs of people of all ages, most of them Asian"),
    "ciplab": ("CIPLAB", "portraits, and portraits in which people exchanged parts of the face with Photoshop"),
    "dfdc": ("DFDC", "frames of videos of the Deepfake Detection Challenge, untouched and with swapped faces"),
    "lfw-faceswap": (
        "LFW face swaps",
        "photographs of Labeled Faces in the Wild, and the same kind with a face swapped in",
    ),
    "sd14": ("Stable Diffusion 1.4", "generated portraits, all of blonde women"),
    "sd21": ("Stable Diffusion 2.1", "generated portraits of all kinds of people"),
    "sd3": ("Stable Diffusion 3", "generated portraits of all kinds of people and places"),
    "stylegan": ("StyleGAN", "photographs from the collection FFHQ, and faces generated after them"),
    "stylegan2": ("StyleGAN2", "photographs from the collection FFHQ, and faces of StyleGAN's successor"),
    "unsplash-men": ("Men of Unsplash", "photographs of men from the site Unsplash"),
    "utkface": ("UTKFace", "photographs of people of all ages, with age, gender and race noted"),
    "web-portrait": ("Web portraits", "portrait photographs found on the web"),
}
GROUPS_TITLE = "## Is it fair?"
GROUPS_ALT = (
    "Bar chart: share of real photographs called fake by age, gender and race, with 95 % intervals; the same figures "
    "stand in the table beside it"
)
GROUPS_CAPTION = "False alarms by age, gender and race as the collection notes them"
GROUPS_READ = (
    "How to read it: a bar says how many of the group's real photographs were called fake, the line through it where "
    "the true share may lie; the longer the line, the less is known."
)
LIMITS_TITLE = "## What it is not for"
LIMITS = f"""- {CAUTION} Never let it alone decide about a person: not about a job, a grade, an account, a report to
  the police or the truth of what somebody says.
- Not for pictures without a face, drawings, or forgeries outside the face: it was made for faces.
- Not for proving that a picture is real. A fake of a kind it has not met can pass as “Real”.
- Not for telling who is shown: it recognises nobody."""
WRONG_TITLE = "## A verdict was wrong?"
WRONG = (
    "Say so in the Community tab of the Space, or in the list of issues of the project, from which this page comes: "
    "what the page said, what is true and how you know, and what kind of picture it was. Post a face only if it is "
    "yours, or if the person agreed."
)
LICENCE_TITLE = "## Licence"
LICENCE = (
    "The code is under Apache-2.0. **The weights in `model.onnx` are not**: the pictures they were trained on allow "
    "research and non-commercial use only, and so may the weights be used."
)
