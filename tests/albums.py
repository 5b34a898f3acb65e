"""Files that the tests of many photographs share."""

import shutil
from pathlib import Path

from conftest import ROOT
from PIL import Image

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
