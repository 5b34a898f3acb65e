"""Every exception of this package: a code for programs, a sentence for people.

    try:
        detector.predict_one("photo.jpg")
    except PictureError as error:
        print(error.code)  # "not_found"
        print(error)  # "There is no such file."

A code never changes its meaning; a sentence may be reworded. Records, JSON, CSV and Parquet carry both.
"""


class DetectError(Exception):
    """The family. `code` is one of CODES, `str(error)` is a sentence that says what to do.

    Args:
        code: for programs.
        text: for people.
    """

    def __init__(self, code: str, text: str):
        super().__init__(code, text)  # both, so that a copy in another process has them
        self.code, self.text = code, text

    def __str__(self) -> str:
        return self.text


class PictureError(DetectError, ValueError):
    """A picture that cannot be judged."""


class NotTriedError(PictureError):
    """A picture that could be judged, but was not, for lack of time."""


class VideoError(DetectError, ValueError):
    """A video that cannot be judged."""


class ModelError(DetectError, RuntimeError):
    """A model file that cannot serve, or cannot be had."""


class BusyError(DetectError, RuntimeError):
    """There is no place left to wait for one's turn."""


class FiguresError(DetectError, RuntimeError):
    """No measured figures of this model can be shown."""


class ScanError(DetectError, RuntimeError):
    """A scan that cannot begin or go on."""


CODES = {
    # Pictures and videos
    "not_found": "There is no such file.",
    "not_a_file": "It is a folder, a device or something else that is no ordinary file.",
    "unreadable": "The system or the store does not give the file's bytes; another time it may.",
    "empty_file": "The file has no bytes.",
    "file_too_large": "The file has more bytes than are accepted.",
    "unsupported_format": "The file is of no format that is read here.",
    "damaged": "The file is damaged or cut short, and nothing of it can be judged.",
    "too_large": "There are more pixels than are accepted.",
    "too_small": "There are fewer pixels than are needed.",
    "bad_array": "An array is not [height, width, 3] uint8.",
    "not_a_video": "The file is a picture where a video is wanted.",
    "no_video": "There is no video in the file, or not one frame.",
    "undecodable": "The video's codec is not read here, or the file is damaged throughout.",
    "too_long": "The video is longer than accepted.",
    "too_many_frames": "The video has more frames than are accepted.",
    "too_slow": "Judging would take longer than is allowed.",
    # Sources of a scan
    "no_picture": "A row of a table has no picture in it.",
    "changed": "The file is another one than when it was listed.",
    "source_missing": "What is to be scanned does not exist, or holds no pictures.",
    "source_unusable": "What is to be scanned cannot be read as what it seems to be.",
    # Scans
    "out_exists": "The folder for the results exists, and holds no scan or another one.",
    "out_busy": "Another scan is writing to the folder for the results.",
    "out_damaged": "The folder for the results does not hold what a scan has written.",
    "out_unwritable": "The results cannot be written.",
    "out_of_reach": "None of many pictures can be read.",
    "ray_failed": "Ray is not installed, has no cluster, or gave up.",
    # Models
    "model_missing": "There is no such model file or repository.",
    "model_unreadable": "The model file is damaged or no ONNX model.",
    "model_unsuitable": "The model is none of this project's, or of another version.",
    "model_numbers": "The model gives numbers that are not finite.",
    "hub_settings": "The name of a repository, its revision or the Hub's token cannot be used.",
    "hub_refused": "The Hub refused the request, or does not answer.",
    # The page
    "busy": "Too many requests are waiting.",
    "no_figures": "There is no report on the model.",
    "foreign_figures": "The report is of another model.",
    "damaged_figures": "The report cannot be read.",
}
