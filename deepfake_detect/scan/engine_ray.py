"""The engine of many machines: Ray Data, with the detector as a stateful actor on every core.

Ray runs the work, begins what a dead worker had anew, and hands results back in their order. This process alone decides
what is a duplicate and writes the shards, so that workers need to reach the pictures and nothing else. To tell which
picture is the first with its bytes, all of them are hashed before any is judged: each is read twice.
"""

import logging
import os
import pickle
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import cast

from deepfake_detect.detector import THOROUGH, Detector
from deepfake_detect.errors import PictureError, ScanError
from deepfake_detect.model.onnx_model import Model
from deepfake_detect.scan.dedup import DigestIndex, digest_of, found_of
from deepfake_detect.scan.listing_store import Placed
from deepfake_detect.scan.manifest import Folder, Shard
from deepfake_detect.scan.parquet_rows import Found
from deepfake_detect.scan.progress import Progress
from deepfake_detect.scan.reader import Reader
from deepfake_detect.verdict import Verdict

TASK = 100  # pictures that a worker takes at a time; as many are judged again when it dies
# Pictures for each worker that are hashed before they are judged, some minutes' work: the driver holds a few hundred
# bytes of each, and with each such round the actors start anew.
ROUND = 10_000
MOST = 1_000_000  # pictures of a round, whatever the number of workers: 0.7 GB for the driver
PACKAGE = Path(__file__).resolve().parent.parent
OBJECT_STORE = 200 * 2**20  # bytes of shared memory on this machine; names and verdicts are all that goes through it
ADDRESS = "RAY_ADDRESS"  # a variable, which a Ray job finds set
REACHED_WITHIN = 10  # seconds
CHANGED = "The file has changed while it was scanned."

Work = list[tuple[Placed, bytes]]  # with the SHA-256 that a picture's bytes should have; b"" where it is not known


class RayEngine:
    """Judges in Ray's workers.

    Args:
        model: the model file, which is sent to them.
        ray: the package, connected, see `connected`.
        thorough: see `Detector.predict`.
    """

    def __init__(self, model: Path, ray, thorough: bool = THOROUGH):
        self.model = model.read_bytes()
        self.ray, self.thorough = ray, thorough
        self.workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
        self.round = min(self.workers * ROUND, MOST)  # pictures

    def judge(self, folder: Folder, digests: DigestIndex, progress: Progress) -> Iterator[tuple[int, list[Found]]]:
        """See `deepfake_detect.scan.engine_local.LocalEngine.judge`."""
        for part in rounds(folder.missing(), self.round):
            yield from self._round(part, folder.manifest.folder, digests, progress)

    def _round(
        self, shards: list[Shard], where: str, digests: DigestIndex, progress: Progress
    ) -> Iterator[tuple[int, list[Found]]]:
        pictures = [placed for _, part in shards for placed in part]
        found = []
        for placed, digest in zip(pictures, self._hashed(pictures, where), strict=True):
            found.append(found_of(placed, digest, digests))
            progress.hashed(len(found), len(pictures))
        results, waiting = self._judged([one for one in found if one.is_open], where), iter(found)
        for shard, part in shards:
            done = []
            for one in islice(waiting, len(part)):
                done.append(one._replace(result=next(results)) if one.is_open else one)
                progress.advance()
            yield shard, done

    def _hashed(self, pictures: list[Placed], where: str) -> Iterator[bytes | PictureError]:
        return self._run(_hash, [(placed, b"") for placed in pictures], fn_kwargs={"folder": where})

    def _judged(self, found: list[Found], where: str) -> Iterator[Verdict | PictureError]:
        workers = self.ray.data.ActorPoolStrategy(size=max(1, min(self.workers, -(-len(found) // TASK))))
        return self._run(
            _Judge, [(one.placed, one.digest or b"") for one in found],
            fn_constructor_args=(self.model, where, self.thorough), compute=workers,
        )  # fmt: skip

    def _run(self, function: Callable | type, work: Work, **options) -> Iterator:
        """What a function of a batch makes of each picture, in order."""
        tasks = [{"work": pickle.dumps(work[start : start + TASK])} for start in range(0, len(work), TASK)]
        if tasks:
            data = self.ray.data.from_items(tasks, override_num_blocks=len(tasks))
            done = data.map_batches(function, batch_size=1, num_cpus=1, **options)
            yield from chain.from_iterable(pickle.loads(row["done"]) for row in done.iter_rows())


def rounds(shards: Iterable[Shard], most: int) -> Iterator[list[Shard]]:
    """Shards in their order, as many at a time as have `most` pictures together; at least one."""
    part: list[Shard] = []
    pictures = 0
    for shard in shards:
        pictures += len(shard[1])
        if part and pictures > most:
            yield part
            part, pictures = [], len(shard[1])
        part.append(shard)
    if part:
        yield part


def _hash(batch: dict, folder: str) -> dict:
    """SHA-256 of the bytes of each picture, or why they cannot be read."""
    work = pickle.loads(batch["work"][0])
    read = _reader(folder).read([placed.item for placed, _ in work])
    return {"done": [pickle.dumps([digest_of(data) for data in read])]}


@lru_cache(1)
def _reader(folder: str) -> Reader:
    """One for a worker's whole life: the next of its pictures may lie further on in the same table."""
    return Reader(folder)


class _Judge:
    """The detector in a worker, on one core."""

    def __init__(self, model: bytes, folder: str, thorough: bool = THOROUGH):
        import cv2

        cv2.setNumThreads(1)
        with tempfile.TemporaryDirectory() as place:
            file = Path(place, "model.onnx")
            file.write_bytes(model)
            self.detector = Detector(Model(file, threads=1))
        self.reader, self.thorough = Reader(folder), thorough

    def __call__(self, batch: dict) -> dict:
        work = pickle.loads(batch["work"][0])
        read = self.reader.read([placed.item for placed, _ in work])
        results = [self._result(data, digest) for data, (_, digest) in zip(read, work, strict=True)]
        return {"done": [pickle.dumps(results)]}

    def _result(self, data: bytes | PictureError, digest: bytes) -> Verdict | PictureError:
        if isinstance(data, PictureError):
            return data
        if digest_of(data) != digest:
            return PictureError("changed", CHANGED)
        try:
            return self.detector.predict_one(data, self.thorough)  # in this thread, where `stream` has many
        except PictureError as error:
            return error


@contextmanager
def connected(address: str | None) -> Iterator:
    """Ray, on a cluster or, without an address, in processes of its own on this machine, which end with this one.

    Args:
        address: host:port, or auto on a machine of the cluster; without it, that of ADDRESS in the environment, if any.

    Raises:
        ScanError: it is not installed, there is no cluster, or the work failed in it.
    """
    named_by, address = ("--address", address) if address else (ADDRESS, os.environ.get(ADDRESS))
    ray = _imported(address)
    try:
        _start(ray, address, named_by)
        yield ray
    except ray.exceptions.RayError as error:
        raise ScanError(
            "ray_failed", f"Ray gave up: {_line(error, -1)}. What is done is kept; --resume goes on."
        ) from None
    finally:
        ray.shutdown()


def _imported(address: str | None):
    """The package. What is set in the environment it reads on being imported, and its processes inherit it."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it calls the way Ray Data starts its actors an error
    if not address:
        # Its servers then listen on 127.0.0.1 alone, as they always do on other systems than Linux.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
        import ray.data
    except ImportError:
        raise ScanError(
            "ray_failed", 'The Ray engine needs a package that is not installed: pip install "ray[data]"'
        ) from None
    return ray


def _start(ray, address: str | None, named_by: str) -> None:
    here = {"address": "local", "include_dashboard": False, "num_cpus": _cores(), "object_store_memory": OBJECT_STORE}
    there = {"address": address, "runtime_env": {"py_modules": [str(PACKAGE)]}}  # its machines have the packages alone
    try:
        if address:
            _check_reachable(_found() if address == "auto" else address, named_by)
        with _nothing_said():
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **(there if address else here))
    except (ConnectionError, ImportError, ValueError) as error:
        where = f"There is no Ray cluster at {address}, where {named_by} says" if address else "Ray does not start here"
        raise ScanError("ray_failed", f"{where} ({_line(error, 0)}).") from None
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # it logs what it raises
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True


def _found() -> str:
    """The address that `auto` means here, which may be that of a cluster that is no more. Raises ConnectionError."""
    from ray._private.services import canonicalize_bootstrap_address  # what ray.init does with it, too

    return cast(str, canonicalize_bootstrap_address("auto"))


@contextmanager
def _nothing_said() -> Iterator[None]:
    """Ray's C++ says on standard error, before it heeds the level, that it has been given one."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _cores() -> int | None:
    """That this process may use, where the system tells; Ray takes all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _check_reachable(address: str, named_by: str) -> None:
    """Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), REACHED_WITHIN).close()
    except ValueError:
        raise ScanError(
            "ray_failed",
            f"{address}, which {named_by} says, is no address of a Ray cluster. Give host:port, or auto on one of its "
            "machines.",
        ) from None
    except OSError as error:
        reason = error.strerror or error
        raise ScanError(
            "ray_failed", f"There is no Ray cluster at {address}, where {named_by} says ({reason})."
        ) from None


def _line(error: Exception, number: int) -> str:
    """Of an error's message; that of an error in a worker is a traceback, which ends with what it is about."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[number][:200].rstrip(".:") if lines else type(error).__name__
