"""A scan's shards -> what they come to, and the most suspicious pictures among them; one shard in memory at a time."""

import base64
import io
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detect.picture import PictureError, open_picture
from detect.scan import ScanError
from detect.scan.firsts import digest_of
from detect.scan.folder import Manifest, item_at
from detect.scan.listing import Item
from detect.scan.reader import Reader
from detect.scan.totals import Totals, shards
from detect.show import framed
from detect.verdict import FAKE, REAL, UNSURE, Face, Verdict

BINS = 20  # of the histogram
SIDE = 280  # pixels of a thumbnail, twice what the page shows of it
LABELS = (REAL, UNSURE, FAKE)
COLUMNS = ("position", "path", "sha256", "duplicate_of", "label", "p_fake", "confidence", "reasons", "faces_json",
           "error", "model_sha256")  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """One of the most suspicious pictures."""

    path: str
    label: str
    p_fake: float  # 0..1
    faces: int
    reasons: str
    thumbnail: str | None  # data URL of a JPEG; None where the picture that was judged cannot be opened any more


@dataclass(frozen=True)
class Summary:
    """What the shards of a folder come to."""

    folder: Path
    manifest: Manifest | None  # None: the shards lie there alone
    model_sha256: str
    totals: Totals
    histogram: dict[str, np.ndarray]  # by label, pictures [BINS] by p_fake
    errors: Counter  # by their sentence
    top: list[Shown]  # the most suspicious first, each of several copies once


def summarize(folder: Path, top: int) -> Summary:
    """Sum up a folder of shards, with the `top` most suspicious pictures.

    Raises:
        ScanError: there are none, or they are not a scan's.
    """
    totals, errors, worst, model = Totals(Counter()), Counter(), [], ""
    histogram = {label: np.zeros(BINS, int) for label in LABELS}
    try:
        for table in shards(folder, *COLUMNS):
            totals.add(table)
            errors.update(table["error"].drop_null().to_pylist())
            model = model or table["model_sha256"][0].as_py()
            for label in LABELS:
                p_fake = table.filter(pc.equal(table["label"], label))["p_fake"]
                histogram[label] += np.histogram(p_fake, BINS, (0, 1))[0]
            worst = sorted([*worst, *_most_suspicious(table, top)], key=lambda row: -row["p_fake"])[:top]
    except (pa.ArrowException, OSError, LookupError) as error:
        raise ScanError(f"{folder} does not hold a scan: {str(error).splitlines()[0][:200]}.") from None
    if not model:
        raise ScanError(f"There are no shards of a scan in {folder}. `python -m detect scan` makes some.")
    manifest = Manifest.of(folder)
    shown = [_shown(row, folder, manifest) for row in worst]
    return Summary(folder, manifest, model, totals, histogram, errors, shown)


def _most_suspicious(table: pa.Table, top: int) -> list[dict]:
    """Rows of a shard, the first of equals first, without copies."""
    originals = table.filter(pc.and_(pc.is_valid(table["p_fake"]), pc.is_null(table["duplicate_of"])))
    order = [("p_fake", "descending"), ("position", "ascending")]
    return originals.take(pc.sort_indices(originals, order)[:top]).to_pylist()


def _shown(row: dict, folder: Path, manifest: Manifest | None) -> Shown:
    faces = tuple(Face(**face | {"box": tuple(face["box"])}) for face in json.loads(row["faces_json"]))
    verdict = Verdict(row["label"], row["p_fake"], row["confidence"], (row["reasons"],), faces)
    return Shown(
        row["path"],
        verdict.label,
        verdict.p_fake,
        len(faces),
        row["reasons"],
        _thumbnail(row, verdict, folder, manifest),
    )


def _thumbnail(row: dict, verdict: Verdict, folder: Path, manifest: Manifest | None) -> str | None:
    """The picture with its faces framed, as a data URL, if it is still there and still the one that was judged."""
    item = item_at(folder, row["position"]) if manifest else Item(row["path"])
    if not item:
        return None
    (data,) = Reader(manifest.folder if manifest else "").read([item])
    digest = digest_of(data)
    if isinstance(digest, PictureError) or digest.hex() != row["sha256"]:
        return None
    file = io.BytesIO()
    framed(open_picture(data), verdict, largest=(SIDE, SIDE)).save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
