"""The engine of one machine: the detector's own threads."""

from collections.abc import Iterator
from typing import cast

from deepfake_detect.detector import THOROUGH, Detector
from deepfake_detect.errors import PictureError
from deepfake_detect.scan.dedup import DigestIndex, Found, digest_of, found_of
from deepfake_detect.scan.listing_store import Placed
from deepfake_detect.scan.manifest import Folder
from deepfake_detect.scan.progress import Progress
from deepfake_detect.scan.reader import Reader
from deepfake_detect.verdict import Verdict


class LocalEngine:
    """Judges in this process; each picture is read once."""

    def __init__(self, detector: Detector, thorough: bool = THOROUGH):
        self.detector, self.thorough = detector, thorough

    def judge(self, folder: Folder, digests: DigestIndex, progress: Progress) -> Iterator[tuple[int, list[Found]]]:
        """The number of each missing shard and what was found out about its pictures, in their order. Judged are those
        whose bytes were not met before."""
        reader = Reader(folder.manifest.folder)
        for number, pictures in folder.missing():
            found: list[Found] = []
            results: list[Verdict | PictureError] = []
            unseen = _unseen(reader, pictures, digests, found, progress)
            for result, _ in self.detector.stream(unseen, self.thorough):
                results.append(result)
                progress.advance()
            judged = iter(results)
            yield number, [one._replace(result=next(judged)) if one.is_open else one for one in found]


def _unseen(
    reader: Reader, pictures: list[Placed], digests: DigestIndex, found: list[Found], progress: Progress
) -> Iterator[bytes]:
    """The bytes of those that are to be judged; what each picture was found to be is added to `found`."""
    for placed, data in zip(pictures, reader.read([placed.item for placed in pictures]), strict=True):
        found.append(found_of(placed, digest_of(data), digests))
        if found[-1].is_open:
            yield cast(bytes, data)
        else:
            progress.advance()
