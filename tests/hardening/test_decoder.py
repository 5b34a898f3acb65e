"""What Hypothesis makes of sound files, through `open_picture` and `open_downscaled`: pixels or one sentence."""

import struct
import time
from collections import Counter

import damaged_pictures
import numpy as np
import pytest
from hypothesis import configuration, given, settings
from hypothesis import strategies as st
from pictures import for_people
from watching import SECONDS

from deepfake_detect.errors import PictureError
from deepfake_detect.picture.decode import MIN_SIDE, open_downscaled, open_picture

pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\..*")  # pytest shows them although the program does not
EXAMPLES, FEW = 2000, 300  # where the figures are written, and otherwise
LONGEST = 24  # pixels: a JPEG comes at a quarter of its size
NUMBERS = (0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1)  # where a decoder may go wrong about sizes and places
PACKED = [struct.pack(order, number) for number in NUMBERS for order in (">I", "<I")]

place = st.integers(0, 400) | st.integers(0, 2**15)  # the headers are in front; of the rest, modulo the length
run = st.binary(max_size=6) | st.sampled_from(PACKED)
length = st.integers(1, 8) | st.integers(1, 2**12)
change = st.one_of(
    st.tuples(st.just("overwritten"), place, run),
    st.tuples(st.just("put in"), place, run),
    st.tuples(st.just("taken out"), place, length),
    st.tuples(st.just("doubled"), place, length),
    st.tuples(st.just("cut off"), place, st.none()),
)


def changed(data: bytes, what: str, place: int, how: bytes | int | None) -> bytes:
    place %= len(data) + 1
    before, after = data[:place], data[place:]
    match what:
        case "overwritten":
            return before + how + after[len(how) :]
        case "put in":
            return before + how + after
        case "taken out":
            return before + after[how:]
        case "doubled":
            return before + after[:how] + after
    return before


@pytest.fixture
def home(tmp_path):
    """What Hypothesis writes goes there and not into the repository."""
    configuration.set_hypothesis_home_dir(tmp_path)
    yield
    configuration.set_hypothesis_home_dir(None)


def test_what_is_made_of_a_sound_file_gives_pixels_or_a_sentence(small, home, record_property, all_cases):
    sound = [data for name, data, _ in damaged_pictures.sound(small) if not name.startswith("large")]
    came, slowest = Counter(), 0.0

    @settings(max_examples=EXAMPLES if all_cases else FEW, derandomize=True, database=None, deadline=None)
    @given(st.sampled_from(range(len(sound))), st.lists(change, min_size=1, max_size=6))
    def test(number, changes):
        nonlocal slowest
        data = sound[number]
        for what in changes:
            data = changed(data, *what)
        began = time.process_time()
        came.update(opened(data, longest) for longest in (None, LONGEST))
        slowest = max(slowest, time.process_time() - began)
        assert slowest < SECONDS

    test()
    assert min(came["judged"], came["refused"]) > came.total() / 10, "too many are sound, or broken"
    tried = f"{came.total() // 2} files that Hypothesis made of {len(sound)} sound ones, through both decoders"
    outcome = f"{came['judged']} times pixels, {came['refused']} times a sentence; the slowest took {slowest:.1f} s"
    record_property("survives", ["Files", tried, outcome])


def opened(data: bytes, longest: int | None) -> str:
    """Whether a file is judged or refused. Any other error than a PictureError goes through."""
    try:
        picture = open_picture(data) if longest is None else open_downscaled(data, longest)
    except PictureError as error:
        assert error.__suppress_context__ or error.__context__ is None, "a traceback would show both errors"
        for_people(str(error))
        return "refused"
    pixels = picture if longest is None else picture.pixels
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
    if longest is None:
        assert min(pixels.shape[:2]) >= MIN_SIDE
    else:
        assert pixels.shape[1::-1] == tuple(-(-side // picture.downscale) for side in picture.size)
    return "judged"
