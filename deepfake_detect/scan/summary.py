"""A scan's shards -> what they come to, and the pictures to look at first; one shard in memory at a time."""

import base64
import io
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from deepfake_detect.errors import PictureError, ScanError
from deepfake_detect.picture.decode import open_picture
from deepfake_detect.report.drawing import framed
from deepfake_detect.report.names import from_text
from deepfake_detect.scan.dedup import digest_of
from deepfake_detect.scan.listing import Item
from deepfake_detect.scan.manifest import Manifest, item_at
from deepfake_detect.scan.reader import Reader
from deepfake_detect.scan.totals import Totals, shards
from deepfake_detect.verdict import CATEGORIES, FAKE, REAL, UNSURE, Face, Verdict

BINS = 20  # of the histogram
SIDE = 280  # pixels of a thumbnail, twice what the page shows of it
LABELS = (REAL, UNSURE, FAKE)
COLUMNS = ("position", "path", "sha256", "duplicate_of", "label", "p_fake", "confidence", "reasons", "faces",
           "faces_json", "error", "model_sha256")  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """One of the pictures on the page."""

    path: str
    category: str  # of CATEGORIES
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
    histogram: dict[str, np.ndarray]  # by label, pictures with a face [BINS] by p_fake
    errors: Counter  # by their sentence
    top: list[Shown]  # with a face: the fakes, the doubtful, the real ones; each of several copies once
    without_face: list[Shown]  # as they stand in the listing, each of several copies once


def summarize(folder: Path, top: int) -> Summary:
    """Sum up a folder of shards, with the `top` most suspicious pictures, and the first `top` without a face.

    Raises:
        ScanError: there are none, or they are not a scan's.
    """
    totals, model = Totals(Counter()), ""
    errors: Counter[str] = Counter()
    worst: list[dict] = []
    without_face: list[dict] = []
    histogram = {label: np.zeros(BINS, int) for label in LABELS}
    try:
        for table in shards(folder, *COLUMNS):
            totals.add(table)
            errors.update(table["error"].drop_null().to_pylist())
            model = model or table["model_sha256"][0].as_py()
            with_face = table.filter(pc.greater(table["faces"], 0))
            for label in LABELS:
                p_fake = with_face.filter(pc.equal(with_face["label"], label))["p_fake"]
                histogram[label] += np.histogram(p_fake, BINS, (0, 1))[0]
            worst = sorted([*worst, *_most_suspicious(with_face, top)], key=_suspicion)[:top]
            faceless = _originals(table.filter(pc.equal(table["faces"], 0)))
            without_face += faceless[: top - len(without_face)].to_pylist()
    except (pa.ArrowException, OSError, LookupError) as error:
        raise ScanError("out_damaged", f"{folder} does not hold a scan: {str(error).splitlines()[0][:200]}.") from None
    if not model:
        raise ScanError("out_damaged", f"There are no shards of a scan in {folder}. `deepfake-detect scan` makes some.")
    manifest = Manifest.of(folder)
    shown = [[_shown(row, folder, manifest) for row in rows] for rows in (worst, without_face)]
    return Summary(folder, manifest, model, totals, histogram, errors, *shown)


def _most_suspicious(table: pa.Table, top: int) -> list[dict]:
    """Rows of a shard by their label, then by their score, the first of equals first, without copies."""
    rows: list[dict] = []
    for label in reversed(LABELS):
        alike = _originals(table.filter(pc.equal(table["label"], label)))
        order = [("p_fake", "descending"), ("position", "ascending")]
        rows += alike.take(pc.sort_indices(alike, order)[: top - len(rows)]).to_pylist()
    return rows


def _suspicion(row: dict) -> tuple[int, float]:
    """Sorts the most suspicious rows first."""
    return CATEGORIES.index(row["label"]), -row["p_fake"]


def _originals(table: pa.Table) -> pa.Table:
    """The rows that are no copies of others."""
    return table.filter(pc.is_null(table["duplicate_of"]))


def _shown(row: dict, folder: Path, manifest: Manifest | None) -> Shown:
    faces = tuple(Face(**face | {"box": tuple(face["box"])}) for face in json.loads(row["faces_json"]))
    verdict = Verdict(row["label"], row["p_fake"], row["confidence"], (), faces)
    return Shown(
        from_text(row["path"]),
        verdict.category,
        verdict.p_fake,
        len(faces),
        row["reasons"],
        _thumbnail(row, verdict, folder, manifest),
    )


def _thumbnail(row: dict, verdict: Verdict, folder: Path, manifest: Manifest | None) -> str | None:
    """The picture with its faces framed, as a data URL, if it is still there and still the one that was judged."""
    item = item_at(folder, row["position"]) if manifest else Item(from_text(row["path"]))
    if not item:
        return None
    (data,) = Reader(manifest.folder if manifest else "").read([item])
    digest = digest_of(data)
    if isinstance(data, PictureError) or isinstance(digest, PictureError) or digest.hex() != row["sha256"]:
        return None
    file = io.BytesIO()
    framed(open_picture(data), verdict, largest=(SIDE, SIDE)).save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
