"""A folder as the command meets it, and the records that it prints."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

PASSED_OVER = """Skipped 1 file that is neither a picture nor a video: 1 .txt.
1 folder inside was not looked into; --recursive does.
"""


def mixed_folder(portrait: Path, parent: Path) -> Path:
    """A folder: three pictures, one of them broken, another file, and a folder with one more picture."""
    album = parent / "album"
    (album / "inner").mkdir(parents=True)
    with Image.open(portrait) as image:
        person = image.convert("RGB").resize((192, 225))
    person.save(album / "b.png")
    Image.fromarray(np.asarray(person)[..., ::-1]).save(album / "c.JPG")
    (album / "a.jpg").write_bytes(b"no picture")
    (album / "notes.txt").write_text("nothing to see")
    person.save(album / "inner" / "d.webp")
    return album


def records(text: str) -> list[dict]:
    """Of JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def names(text: str) -> list[str]:
    """The last parts of the paths of JSON lines."""
    return [Path(record["path"]).name for record in records(text)]
