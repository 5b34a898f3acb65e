"""Verdicts -> rows, and shards of rows <-> Parquet files: flat columns of plain types, which every reader knows."""

import io
import json
from functools import lru_cache
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.errors import PictureError
from deepfake_detect.report.names import as_text, shown
from deepfake_detect.scan.dedup import Found
from deepfake_detect.scan.manifest import Folder
from deepfake_detect.verdict import Verdict

SCHEMA = pa.schema({
    "position": pa.int64(),  # in the sorted listing, from 1
    "path": pa.string(),  # see `deepfake_detect.report.names.as_text`
    "sha256": pa.string(),  # of the picture's bytes; null where they cannot be read
    "duplicate_of": pa.string(),  # path of the picture with the same bytes whose verdict this is; null for that one
    "label": pa.string(),
    "p_fake": pa.float64(),
    "confidence": pa.float64(),
    "reasons": pa.string(),  # sentences
    "reason_codes": pa.list_(pa.string()),
    "faces": pa.int32(),  # their number
    "faces_json": pa.string(),  # the verdict's faces
    "error": pa.string(),  # a sentence; then there is no verdict
    "error_code": pa.string(),
    "model_sha256": pa.string(),
    "kind": pa.string(),  # of a picture called fake, where the model names it
})  # fmt: skip
# What a picture's bytes decide
VERDICT = ("label", "p_fake", "confidence", "reasons", "reason_codes", "faces", "faces_json", "error", "error_code",
           "kind")  # fmt: skip
GROUP, KEPT = 10_000, 16  # rows that are read again at a time, for their verdicts; and such groups kept in memory


class Rows:
    """The rows of a scan, written shard by shard; those of duplicates take their verdict from rows that are."""

    def __init__(self, folder: Folder):
        self.folder = folder
        self._group = lru_cache(KEPT)(self._read_group)

    def write(self, shard: int, pictures: list[Found]) -> None:
        """Write a shard, whole or not at all; pictures that are not given keep their rows. Raises OSError."""
        before = self.folder.rows_of(shard)
        rows = {row["position"]: row for row in before}
        for found in pictures:
            row = self._row(found)
            if found.is_first:
                row |= verdict_fields(cast(Verdict | PictureError, found.result))
            else:
                first = rows.get(found.first) or self._written(found.first)
                row |= {"duplicate_of": first["path"]} | {name: first.get(name) for name in VERDICT}
            rows[found.placed.position] = row
        after = [rows[position] for position in sorted(rows)]
        if after == before:  # what could not be read still cannot be
            return
        buffer = io.BytesIO()  # so that a full disk is met by `write_bytes`, which says so plainly
        pq.write_table(pa.Table.from_pylist(after, SCHEMA), buffer, row_group_size=GROUP)
        with atomic_write(self.folder.file_of(shard)) as partial:
            partial.write_bytes(buffer.getbuffer())
        self._group.cache_clear()  # it may hold the rows that were there before

    def _row(self, found: Found) -> dict:
        return {
            "position": found.placed.position,
            "path": as_text(found.placed.item.path),
            "sha256": found.digest and found.digest.hex(),
            "duplicate_of": None,
            "model_sha256": self.folder.manifest.model_sha256,
        }

    def _written(self, position: int) -> dict:
        shard = self.folder.shard_at(position)
        group, place = divmod(position - 1 - shard * self.folder.manifest.shard_rows, GROUP)
        (row,) = self._group(shard, group).slice(place, 1).to_pylist()
        return row

    def _read_group(self, shard: int, group: int) -> pa.Table:
        with self.folder.file_of(shard).open("rb") as file:
            return pq.ParquetFile(file).read_row_group(group)


def verdict_fields(result: Verdict | PictureError) -> dict:
    """The columns of VERDICT."""
    if isinstance(result, PictureError):
        return dict.fromkeys(VERDICT) | {"error": shown(str(result)), "error_code": result.code}
    faces = json.dumps([face.to_dict() for face in result.faces])
    return {
        "label": result.label,
        "p_fake": result.p_fake,
        "confidence": result.confidence,
        "reasons": " ".join(map(str, result.reasons)),
        "reason_codes": [reason.code for reason in result.reasons],
        "faces": len(result.faces),
        "faces_json": faces,
        "error": None,
        "error_code": None,
        "kind": result.kind,
    }
