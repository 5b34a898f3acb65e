"""Videos that are damaged on purpose, and read."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from reading import digest, elsewhere
from video_coding import Odd

TOGETHER = 500  # files that are read by one process
PLACES = 50  # at which a byte is flipped
REFUSALS = frozenset("undecodable no_video unsupported_format empty_file too_small too_large too_long not_a_video "
                     "too_many_frames".split())  # fmt: skip


def damaged(films: Sequence[Odd], folder: Path) -> tuple[Counter, float]:
    """Read every film cut at each tenth of it, and with a byte flipped at each of PLACES places: here, and once more
    in another order by a process whose memory is full of another byte, which must agree to the last bit. Any other
    error than a VideoError goes through.

    Returns:
        (how many gave "frames", and how many a "sentence"; the processor's seconds for the slowest).
    """
    rng, came, slowest, seen = random.Random(2), Counter(), 0.0, {}
    for film in films:
        data = film.path.read_bytes()
        made = [data[: len(data) * tenth // 10] for tenth in range(10)]
        for place in (rng.randrange(len(data)) for _ in range(PLACES)):
            made.append(data[:place] + bytes([data[place] ^ rng.randrange(1, 256)]) + data[place + 1 :])
        for number, content in enumerate(made):
            path = folder / f"{number}_{film.path.name}"
            path.write_bytes(content)
            began = time.process_time()
            found = digest(path)
            slowest = max(slowest, time.process_time() - began)
            assert len(found) == 64 or found in REFUSALS, (film.path.name, number, found)
            came["frames" if len(found) == 64 else "sentence"] += 1
            seen[path] = found
        if len(seen) >= TOGETHER or film is films[-1]:
            again = elsewhere([*seen][::-1], perturbed=170)[::-1]
            assert [path.name for path, found in zip(seen, again, strict=True) if seen[path] != found] == []
            while seen:
                seen.popitem()[0].unlink()
    return came, slowest
