"""Files that the tests of many photographs share."""

import io
import shutil
from pathlib import Path

from PIL import Image
from project import ROOT

REAL, GROUP = (ROOT / "examples" / name for name in ("real_eileen_collins.jpg", "group_portraits.jpg"))
MARKUP = "<img src=x onerror=alert(1)>.jpg"
FORMULA = "=1+1.jpg"


def mixed_files(folder: Path) -> list[Path]:
    """A real portrait, a group, a broken file, a sky without a face, and two names that try to be more than names."""
    broken, sky = folder / "broken.jpg", folder / "sky.png"
    broken.write_bytes(REAL.read_bytes()[:5000])
    Image.linear_gradient("L").resize((400, 300)).convert("RGB").save(sky)
    for name in (MARKUP, FORMULA):
        shutil.copy(REAL, folder / name)
    return [REAL, GROUP, broken, sky, folder / MARKUP, folder / FORMULA]


def heavy_files(folder: Path) -> list[Path]:
    """Enough large pictures to be busy with for a while; not JPEG, which would be decoded at part of its size."""
    files = [folder / f"{number}.webp" for number in range(60)]
    Image.open(REAL).convert("RGB").resize((2400, 2400)).save(files[0])
    for file in files[1:]:
        file.hardlink_to(files[0])
    return files


def bad_files(folder):
    good = REAL.read_bytes()
    bomb = io.BytesIO()
    Image.new("1", (12000, 9000)).save(bomb, "PNG")
    for name, data, words in (
        ("text.jpg", b"just words", "not a picture"),
        ("page.png", b"<html><script>alert(1)</script></html>", "a web page"),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>', "SVG drawing"),
        ("empty.jpg", b"", "empty"),
        ("cut.jpg", good[: len(good) // 3], "damaged or cut short"),
        ("bomb.png", bomb.getvalue(), "megapixels"),
    ):
        path = folder / name
        path.write_bytes(data)
        yield path, words
