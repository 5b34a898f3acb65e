"""The engine of one machine: the detector's own threads."""

from collections.abc import Iterator

from detect.detector import Detector
from detect.scan.firsts import Firsts, Found, digest_of, found_of
from detect.scan.folder import Folder, Placed
from detect.scan.progress import Progress
from detect.scan.reader import Reader


class LocalEngine:
    """Judges in this process; each picture is read once."""

    def __init__(self, detector: Detector):
        self.detector = detector

    def judge(self, folder: Folder, firsts: Firsts, progress: Progress) -> Iterator[tuple[int, list[Found]]]:
        """The number of each missing shard and what was found out about its pictures, in their order. Judged are those
        whose bytes were not met before."""
        reader = Reader(folder.manifest.folder)
        for number, pictures in folder.missing():
            found, results = [], []
            for result, _ in self.detector.stream(_unseen(reader, pictures, firsts, found, progress)):
                results.append(result)
                progress.advance()
            results = iter(results)
            yield number, [one._replace(result=next(results)) if one.is_open else one for one in found]


def _unseen(
    reader: Reader, pictures: list[Placed], firsts: Firsts, found: list[Found], progress: Progress
) -> Iterator[bytes]:
    """The bytes of those that are to be judged; what each picture was found to be is added to `found`."""
    for placed, data in zip(pictures, reader.read([placed.item for placed in pictures]), strict=True):
        found.append(found_of(placed, digest_of(data), firsts))
        if found[-1].is_open:
            yield data
        else:
            progress.advance()
