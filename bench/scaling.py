"""A billion pictures: what the scan that was measured comes to on a cluster, with every assumption named.

`python -m bench.scaling` computes it from bench/results.json and writes bench/SCALING.md; so does `python -m bench`.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from bench.report import table_of
from bench.scan import READ
from bench.stages import CROP, DECODE, FIND, NETWORK
from deepfake_detect.atomic_files import write_text

FOLDER = Path(__file__).resolve().parent
MEGABYTES = (0.1, 0.3, 1.0, 4.0)  # of a picture, on average
MS_AN_HOUR = 3_600_000

TEXT = """\
# A billion pictures

What `deepfake-detect scan --engine ray` would take for {pictures} pictures: arithmetic on figures of one small machine
(bench/results.md, scan), as `bench/scaling.py` does it. No cluster of that size was measured. Put in your own prices.

{assumed}

{measured}

A worker fetches files while it judges others, so a picture takes as long as the slower of both, the core or its share
of the network. Pictures are read twice, because Ray's workers must know which are copies before they judge; `local`
reads them once. Reading is fetching, hashing and decoding; judging is finding faces, cutting them out and the network.
That the rate grows with the cores is measured up to {cores} of them.

{estimates}

{verdict}

One process lists the bucket, looks for copies and writes the rows: {driver_hours:.0f} hours for all of them, of which
it waits {list_hours:.0f} for the store's lists; beside the rows it keeps {disk:.0f} GB on its disk. Where the last
column says more than 1, that is longer than the workers take, and the bucket is scanned in as many parts, with an
`--out` for each prefix, side by side, each on its share of the cores; copies in different parts are then judged once in
each. The names right under one prefix are in memory while it is listed: a million of them should be the most. Shards of
a hundred thousand rows (`--shard-rows 100000`) keep the files few.
"""


@dataclass(frozen=True)
class Assumed:
    """What was not measured here. Money in dollars, at list prices of large clouds, as orders of magnitude."""

    pictures: int = 10**9
    cores: int = 1000
    core_hour: float = 0.0425
    thousand_reads: float = 0.0004
    thousand_names: float = 0.000005
    list_request_ms: float = 100.0
    disk_bytes: int = 110
    megabytes_a_second: float = 49.0
    reads: int = 2

    def said(self) -> list[list]:
        return [
            ["pictures", f"{self.pictures:,}"],
            ["cores of the cluster", self.cores],
            ["dollars for an hour of a core: an ordinary machine, on demand", self.core_hour],
            ["dollars for a thousand reads from the object store, in its own region", self.thousand_reads],
            ["dollars for a thousand names listed, at a thousand a request", f"{self.thousand_names:f}"],
            ["ms that the store takes over a list of a thousand names, one after the other", self.list_request_ms],
            ["bytes of disk for a picture: the listing, sorted and not, and then the digests", self.disk_bytes],
            ["MB/s of the network for each core: a machine of 32 cores with 12.5 Gbit/s", self.megabytes_a_second],
            ["reads of each picture", self.reads],
        ]


@dataclass(frozen=True)
class Measured:
    """Milliseconds for one picture, from bench/results.json."""

    core: float
    read: float
    decode: float
    find: float
    crop: float
    network: float
    driver: float
    cores: int  # at which `core` was measured

    @classmethod
    def of(cls, results: dict) -> "Measured":
        """Raises KeyError where the part `scan` has not been measured."""
        ray = max((row for row in _rows(results, "engines") if row["engine"] == "ray"), key=lambda row: row["cores"])
        (stage,), (driver,) = _rows(results, "stages"), _rows(results, "driver")
        stages = (stage[name] for name in (READ, DECODE, FIND, CROP, NETWORK))
        return cls(ray["ms of a core for each"], *stages, driver["together"], ray["cores"])

    def said(self) -> list[list]:
        return [
            [f"of a core, with all that Ray adds, at {self.cores} cores", self.core],
            ["of that, hashing a file in memory, at each read", self.read],
            ["decoding", self.decode],
            ["finding faces", self.find],
            ["cutting them out and looking for blur", self.crop],
            ["the network", self.network],
            ["of the one process that lists and writes", self.driver],
        ]


@dataclass(frozen=True)
class Estimate:
    """A scan of `Assumed.pictures` pictures of one size. ms are for each picture."""

    fetch_ms: float  # of a core's share of the network
    reading_ms: float
    judging_ms: float
    core_hours: float
    hours: float  # on `Assumed.cores`
    machines: float  # dollars
    requests: float  # dollars
    list_hours: float  # in which the store is waited for, if it were one scan
    driver_hours: float  # of the one process that lists and writes, with these
    scans: int  # side by side, so that no driver is slower than its workers


def estimate(measured: Measured, assumed: Assumed, megabytes: float) -> Estimate:
    """What pictures of so many megabytes each, on average, take."""
    fetch = 1000 * assumed.reads * megabytes / assumed.megabytes_a_second
    core_hours = assumed.pictures * max(fetch, measured.core) / MS_AN_HOUR
    hours = core_hours / assumed.cores
    list_hours = assumed.pictures / 1000 * assumed.list_request_ms / MS_AN_HOUR
    driver_hours = assumed.pictures * measured.driver / MS_AN_HOUR + list_hours
    return Estimate(
        fetch_ms=fetch,
        reading_ms=fetch + assumed.reads * measured.read + measured.decode,
        judging_ms=measured.find + measured.crop + measured.network,
        core_hours=core_hours,
        hours=hours,
        machines=core_hours * assumed.core_hour,
        requests=assumed.pictures / 1000 * (assumed.reads * assumed.thousand_reads + assumed.thousand_names),
        list_hours=list_hours,
        driver_hours=driver_hours,
        scans=math.ceil(driver_hours / hours),
    )


def text(results: dict) -> str:
    """bench/SCALING.md."""
    measured, assumed = Measured.of(results), Assumed()
    found = {megabytes: estimate(measured, assumed, megabytes) for megabytes in MEGABYTES}
    columns = ["MB a picture", "reading, ms", "judging, ms", "waits for", "core hours",
               f"hours on {assumed.cores} cores", "machines, $", "requests, $", "scans side by side"]  # fmt: skip
    rows = [
        [megabytes, one.reading_ms, one.judging_ms, "network" if one.fetch_ms > measured.core else "cores",
         f"{one.core_hours:,.0f}", one.hours, f"{one.machines:,.0f}", f"{one.requests:,.0f}", one.scans]
        for megabytes, one in found.items()
    ]  # fmt: skip
    return TEXT.format(
        pictures=f"{assumed.pictures:,}",
        cores=measured.cores,
        assumed=table_of(("assumed", ""), assumed.said()),
        measured=table_of(("measured, ms for a picture", ""), measured.said()),
        estimates=table_of(columns, rows),
        verdict=_bottleneck(found),
        driver_hours=found[MEGABYTES[0]].driver_hours,
        list_hours=found[MEGABYTES[0]].list_hours,
        disk=assumed.pictures * assumed.disk_bytes / 1e9,
    )


def _bottleneck(found: dict[float, Estimate]) -> str:
    reading = [megabytes for megabytes, one in found.items() if one.reading_ms > one.judging_ms]
    if not reading:
        return "The bottleneck is judging, at each of these sizes."
    if len(reading) == len(found):
        return "The bottleneck is reading, not judging, at each of these sizes."
    return f"The bottleneck is reading, not judging, from {min(reading):g} MB a picture on; below that it is judging."


def _rows(results: dict, name: str) -> list[dict]:
    (table,) = (table for table in results["scan"]["tables"] if table["name"] == name)
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def write(results: dict, folder: Path) -> None:
    """SCALING.md in a folder. Raises KeyError where the part `scan` has not been measured."""
    write_text(folder / "SCALING.md", text(results))


if __name__ == "__main__":
    write(json.loads((FOLDER / "results.json").read_text(encoding="utf-8")), FOLDER)
