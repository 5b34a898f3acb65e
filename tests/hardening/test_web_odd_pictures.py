"""Pictures that take every stage of the face finder, in the browser and in Python."""

import numpy as np
import pytest
from PIL import Image, ImageOps
from web_site import assert_same, png


def odd_pictures(portrait) -> dict[str, bytes]:
    whole = Image.open(portrait).convert("RGB")
    small = whole.resize((152, 178))
    crowd = Image.new("RGB", (1400, 900), (90, 120, 70))
    for number in range(12):
        face = whole.resize((64 + 4 * number, 75 + 5 * number))
        crowd.paste(face, (40 + 340 * (number % 4), 40 + 280 * (number // 4)))
    noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    clear = whole.copy()
    clear.putalpha(255)
    return {
        "upside down": png(whole.rotate(180)),
        "on its side": png(whole.rotate(90, expand=True)),
        "tilted": png(whole.rotate(28, fillcolor=(200, 200, 200))),
        "letterbox": png(ImageOps.expand(whole, (0, 120, 0, 120), "black")),
        "frame": png(ImageOps.expand(whole, 60, "white")),
        "crowd": png(crowd),
        "small": png(small),
        "blurred": png(small.resize((30, 35)).resize((400, 466))),
        "enlarged": png(whole.resize((1500, 1758), Image.Resampling.BICUBIC)),
        "no face": png(noise),
        "grey": png(whole.convert("L")),
        "transparent": png(clear),
        "tall": png(ImageOps.expand(small, (0, 0, 0, 3000), (10, 60, 90))),
        "cut off": png(whole.crop((130, 80, 330, 260))),
    }


@pytest.mark.parametrize("half", [0, 1])
def test_odd_pictures(ask, detector, portrait, half):
    seen = set()
    for name, data in list(odd_pictures(portrait).items())[half::2]:
        here = detector.predict_one(data)
        assert_same(here, ask(data), name)
        seen |= {reason.code for reason in here.reasons} | {len(here.faces)}
    assert seen & {"no_face", "face_too_small", "blurred", "enlarged"}, "the pictures are not as odd as they should be"
