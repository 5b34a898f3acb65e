"""What the page says in English, so that a translation can take it. Sentences that hold figures or faults stand beside
what computes them in deepfake_detect/; labels of single boxes and columns beside the boxes in page/."""

from deepfake_detect.picture.decode import FORMAT_NAMES
from deepfake_detect.report import card_texts
from deepfake_detect.report.sentences import CAUTION, TOOL
from deepfake_detect.video.frame_plan import MAX_FRAMES, MAX_SECONDS
from deepfake_detect.video.video_file import MAX_VIDEO_BYTES, VIDEO_FORMAT_NAMES
from page.batch import MAX_PICTURES

KEEP_MINUTES = 20  # after which uploads and results are deleted at the latest

TITLE = TOOL
INTRO = f"""# {TITLE}
Is this face real or fake? The detector says so, or abstains where unsure.
Files are deleted within {KEEP_MINUTES} minutes."""
WITHOUT_UPLOAD = " [Check it without uploading]({})."  # where the page in web/ is served, too
FOOT = f"""{{}} {CAUTION} For research and non-commercial use. What you send is judged on this server and deleted within
{KEEP_MINUTES} minutes."""
# Short enough to stand side by side on a telephone
PHOTO_TAB, ALBUM_TAB, VIDEO_TAB, REPORT_TAB = "Photo", "Album", "Video", "Reliable?"
EXAMPLES_LABEL = "Examples: fakes first, then a group with one fake in it, then real portraits"
EXAMPLES_SAID = (
    "Of the {fakes} fakes above, the detector calls {found} fake, is not sure of {unsure}, and calls {missed} real. "
    "The two that this project made by hand are hard."
)
EXAMPLE_NAMES = {
    "fake_generated_flux": "Fake: made by FLUX.1",
    "fake_generated_sd3": "Fake: made by Stable Diffusion 3",
    "fake_self_blend_1": "Hard fake: Hopper, altered",
    "fake_swap": "Hard fake: Hopper on Tesla",
    "group_portraits": "Group: one of three is fake",
    "real_eileen_collins": "Real: Eileen Collins",
    "real_grace_hopper": "Real: Grace Hopper",
    "real_nikola_tesla": "Real: Nikola Tesla",
}
VIDEO_NAMES = {
    "group_portraits": "Group: one of three is fake",
    "real_eileen_collins": "Real: Eileen Collins",
}
VIDEO_EXAMPLES_LABEL = "Examples: a camera moves over pictures, in which nothing moves"
PHOTO_JUDGING = "Judging the photograph"
ANOTHER_PHOTO, ANOTHER_VIDEO = "Another photograph", "Another video"
DEVELOPERS_LABEL = "For developers"
FAILED = "The picture could not be judged"
ADDRESS = "The page is at {} (Ctrl-C stops it)"
NO_START = "The page cannot write to {}: {}. Make room there, or name another folder in GRADIO_TEMP_DIR."
NO_ADDRESS = (
    "The page cannot be served at port {}: another program has it, or the host is not of this machine. Name another "
    "with --port or --host."
)
NO_PORT = "GRADIO_SERVER_PORT is {!r}, which is no port. Give a number from 1 to 65535, or leave it out."
SERVER_FAILED = "The server is busy or could not go on. Try again in a moment."
GONE = f"What you sent was deleted, as everything is within {KEEP_MINUTES} minutes. Send it again."
NO_ROOM = "This server cannot write its results: its disk may be full. Try again later."
SERVER_BUSY = "This server is busy: too many requests are waiting. Try again in a moment."
UPLOADS_FULL = "This server has no room for files at the moment. Try again in a few minutes."
TOO_LARGE = "This is more than the server takes at a time. Send less, or in parts."
CALL_TOO_LARGE = (
    "This request is larger than the server takes. Send a file by itself, to /gradio_api/upload, as handle_file in "
    "Python and a File or Blob in JavaScript do."
)
CUT_OFF = "The rest of this did not arrive. Send it again."
RIGHT_CALL = (
    'In Python: client.predict({python}, api_name="/{name}"). In JavaScript: client.predict("/{name}", '
    "{{ {javascript} }}), where file is a File or Blob. Over HTTP: POST the file to /gradio_api/upload as “files”, "
    'then {{"data": [{json}]}} to /gradio_api/call/{name}.'
)
NO_PICTURE = f"No picture was sent. Send a {FORMAT_NAMES} file."
NO_VIDEO = f"No video was sent. Send an {VIDEO_FORMAT_NAMES} file."
A_PATH = "Send the file itself, not its name: this server opens no files by name."
AN_ADDRESS = "Send the file itself, not its address: this server fetches nothing."
NOT_BASE64 = "This data: URL does not hold a file in base64. Send the file itself."
NO_FILE = "This is no file. Send the file itself."
ONE_FILE = "One file is judged here, not a list."
NO_BOOLEAN = "thorough is true or false."
TOO_MANY_VALUES = "{} does not take so many values."
THIS_EVENT = "This event of the page"  # in place of an endpoint's name
NO_FUNCTION = "This event is the browser's own: the server has no answer to it."
BAD_VALUE = "A value is none that the page itself would send."
NO_ENDPOINT = "There is no such endpoint. There are {}."
NO_CALL = "There is no such call, or its answer was fetched before. Call again, and ask for the id that this answers."
BAD_BODY = "The body of this request is not what a call takes."
ABANDONED = "Nobody waited for this answer, so it was given up. Send the request again, and read its answer at once."
VIDEO_WAITING = f"""Choose a video: {VIDEO_FORMAT_NAMES}, at most {MAX_SECONDS // 60} minutes and
{MAX_VIDEO_BYTES >> 20} MB. Up to {MAX_FRAMES} of its frames are judged; its sound is not."""
VIDEO_FAILED = "The video could not be judged"
MAX_WAITING = 3  # videos that may wait for their turn, and albums: all are through before uploads are deleted
VIDEO_BUSY = "Too many videos are waiting to be judged. Try again in a few minutes."
VIDEO_TURN = "Waiting: another video is being judged"
VIDEO_READING = "Reading the video"
VIDEO_JUDGING = "Judging the video"
FRAMES_DONE = "Frame {} of {}"
UNPLAYABLE = "This browser cannot play this video. Whether it can be judged does not depend on that."
TIMELINE_ALT = "How fake each face looks over time, with the zones of the verdict on the video"
TIMELINE_ZONE = "{}: from {} to {}"
TIMELINE_X = "seconds"
TIMELINE_POINT = "Face {}, at {:.1f} s: {} in 100"
TIMELINE_READ = (
    "The height is the chance, in 100, that the face is fake, by one frame alone, on the scale of the verdict above. A "
    "click on a point shows that frame."
)
TIMELINE_MOST = "The timeline shows the {} most suspicious faces."
FILM_JUDGED = "What was judged, face by face"
STILLS_LABEL = "Typical frames, at most {}"  # on one line of a telephone
STOPPED = "Stopped"
SAID_AT = "{}: {} %"  # to those who hear the page
STOP, AGAIN = "Stop", "Judge it again"
ALBUM_WAITING = f"Choose up to {MAX_PICTURES} pictures: {FORMAT_NAMES}."
ALBUM_FAILED = "The pictures could not be judged"
TOO_MANY = "These are {} files; at most {} are judged at a time. Send them in parts."
ALBUM_BUSY = "Too many people are waiting with their pictures. Try again in a few minutes."
ALBUM_TURN = "Waiting: other pictures are being judged"
ALBUM_READING = "Reading the pictures"
ALBUM_JUDGING = "Judging the pictures"
ALBUM_DONE = "{} of {} pictures judged"
NO_PICTURES = f"No pictures were sent. Send {FORMAT_NAMES} files."
STOPPING = "Stopping"
ALBUM_AGAIN = "Judge them again"
ALBUM_ORDER = f"The most suspicious first. A click on a picture shows what lies behind its verdict. {CAUTION}"
ALL, OPEN, CHIPS_LABEL = "All", "Open {}", "Which pictures are shown"
CSV, JSON = "Download as CSV", "Download as JSON"
FACES_ALT = "The photograph, with its faces framed"
PICK_LABEL = card_texts.FACES
HEAT_LABEL = "What the score reacted to"
HOLD_LABEL = card_texts.HOLDS
HOLDS = "The same face, changed in small ways that leave it as real or fake as before, and scored again."
FILM_HOLDS = (
    "The most suspicious faces of the video in the frames that are most typical of them, changed in small ways that "
    "leave them as real or fake as before, and scored again; of three frames, the middle score."
)
CLAIMS_LABEL = "What the file says"
REPORT_LABEL = "Report"
JSON_REPORT, PRINTABLE = "Report as JSON", "Report as PDF"

REPORT_TITLE = "How reliable is it?"
REPORT_INTRO = "Measured on pictures that the model was not trained on, each judged as its file is."
NEVER_TITLE = "Never tested:"
NEVER_TESTED = "video calls, sound, photographs of screens, drawings, anything but faces"
GENERATORS_UNTESTED = "on photographs, {} of {} known ways to make a fake, the newest of them {}"
MEASURED_TITLE = "All figures, and what was asked for beforehand"
MORE_TITLE = "A wrong verdict, and the licence"
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
    "further a line falls, the more is lost. The lower end is a coin."
)
DEGRADATIONS = (  # of the report: curve and key; title and axis of the chart
    ("jpeg", "quality", "Line chart: balanced accuracy over JPEG quality, from the best on the left", "JPEG quality"),
    ("scale", "scale", "Line chart: balanced accuracy over the size of the picture, from its own", "size, of its own"),
)
DEGRADATION_Y = "told rightly (balanced accuracy)"
RELIABILITY_X, RELIABILITY_Y = "chance of being fake that was given, in 100", "of 100 such pictures, fakes"
SOURCES_TITLE = "## By kind of fake and place of origin"
SOURCES_READ = (
    "**Detected** are fakes called fake, **false alarms** are real photographs called fake; both are counted as if the "
    "detector always had to decide, without “Not sure”. AUC is explained above. A source with few pictures says little."
)
SOURCES_CAPTION = "Sources whose other pictures the model was trained on"
CROSS_TITLE = "### Sources it never saw"
CROSS_READ = (
    "No picture of these sources was among the training pictures, and most of their generators were not either (see "
    "above), which is nearer to what a stranger's picture is. They were looked at when choosing between ways to train, "
    "so they are a second opinion, not a test."
)
CROSS_CAPTION = "Sources that the model was not trained on"
NO_CROSS = "What the detector does with sources it never saw has not been measured of this model."
GENERATORS_TITLE = "### What was never tested on photographs"
GROUPS_TITLE = "## Is it fair?"
GROUPS_ALT = (
    "Bar chart: share of real photographs called fake by age, gender and race, with 95 % intervals; the same figures "
    "stand in the table beside it"
)
GROUPS_READ = (
    "How to read it: a bar says how many of the group's real photographs were called fake, the line through it where "
    "the true share may lie; the longer the line, the less is known."
)
LIMITS_TITLE = "## What it is not for"
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
