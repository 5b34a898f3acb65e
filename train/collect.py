"""Pictures and clips out of public git repositories, as a list names them: each by the SHA-1 of its git object, so that
what comes out is what is listed. The lists lie in train/lists/ and hold no picture. Nothing but git is needed.

A list of clips has the columns of CLIP more: pictures are all for training, clips for what their row says.
"""

import argparse
import csv
import gzip
import hashlib
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.model.onnx_model import LABELS
from train.command_line import add_out
from train.data import SPLITS, DataError

LISTED = ("repo", "path", "blob", "label", "source", "generator", "group")
MANIFEST = ("path", "split", "label", "source", "generator", "group", "width", "height", "origin")
CLIP = ("split", "method", "compression")  # of a list of clips, whose method stands in place of the generator
CLIPS_MANIFEST = ("path", "split", "label", "source", "method", "compression", "group", "origin")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    parser.add_argument("list", type=Path, metavar="LIST.csv.gz", help="which pictures or clips, see train/lists")
    parser.add_argument("--from", dest="given", action="append", nargs="+", required=True, metavar="NAME=GIT_DIR",
                        help="a repository of the list, and the git directory of a clone of it")  # fmt: skip
    add_out(parser, "a new data folder, for --data")


def run(args: argparse.Namespace) -> int:
    """The command `python -m train collect`.

    Returns:
        Exit status: 0, or 1 where a listed picture of a repository that was given is not in that copy.

    Raises:
        DataError: a list or an argument that cannot be used, or no picture found.
    """
    listed = read_list(args.list)
    given = _given([pair for pairs in args.given for pair in pairs], listed, args.list)
    missing = collect(listed, given, args.out)
    for repo in listed:
        if repo not in given:
            print(f"left out, no git directory given: {repo} ({len(listed[repo])} {_noun(listed[repo])})")
        elif missing[repo]:
            print(
                f"{repo}: {missing[repo]} of {len(listed[repo])} {_noun(listed[repo])} are not in that copy",
                file=sys.stderr,
            )
    return 1 if any(missing.values()) else 0


def read_list(file: Path) -> dict[str, list[dict]]:
    """The rows of a list, a gzipped CSV file with the columns LISTED, by repository.

    Raises:
        DataError: no such file, or it is none of these.
    """
    if not file.is_file():
        raise DataError(f"There is no list {file}.")
    try:
        with gzip.open(file, "rt", encoding="utf-8", newline="") as opened:
            rows = list(csv.DictReader(opened))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} is not a gzipped CSV file in UTF-8 ({error}).") from None
    columns = rows[0] if rows else {}
    wanted = [c for c in LISTED if c != "generator"] + [*CLIP] if "method" in columns else LISTED
    lacking = [column for column in wanted if column not in columns]
    if lacking:
        raise DataError(f"{file} has no column {' or '.join(lacking)}.")
    listed = defaultdict(list)
    for line, row in enumerate(rows, 2):
        names = row["source"], row["blob"]
        if row["label"] not in LABELS or not all(name and name.replace("-", "").isalnum() for name in names):
            raise DataError(f"{file}, line {line}: label, source and blob must be real or fake, a name and a SHA-1.")
        if row.get("split", "train") not in SPLITS.values():
            raise DataError(
                f"{file}, line {line}: the split must be one of {', '.join(dict.fromkeys(SPLITS.values()))}."
            )
        listed[row["repo"]].append(row)
    return dict(listed)


def _given(pairs: Sequence[str], listed: Mapping[str, list], file: Path) -> dict[str, Path]:
    given = {}
    for pair in pairs:
        repo, sign, folder = pair.partition("=")
        if not sign or repo not in listed:
            raise DataError(f"--from {pair}: give NAME=GIT_DIR; {file.name} lists {', '.join(sorted(listed))}.")
        if not (Path(folder) / "objects").is_dir() and not (Path(folder) / ".git").exists():
            raise DataError(f"--from {pair}: {folder} is not the git directory of a clone.")
        given[repo] = Path(folder) if (Path(folder) / "objects").is_dir() else Path(folder) / ".git"
    return given


def collect(listed: Mapping[str, list[dict]], given: Mapping[str, Path], out: Path) -> Counter:
    """Write the listed pictures or clips of the repositories that are given, as a data folder. The manifest comes
    last: a folder without it is not whole, and the same call makes it so.

    Args:
        listed: rows by repository, see `read_list`.
        given: git directories by repository.
        out: the data folder; it may hold what an earlier call has written.

    Returns:
        How many pictures of each repository are not in that copy.

    Raises:
        DataError: git cannot read a directory, or there is no picture of the list.
    """
    manifest, numbers, missing = [], Counter(), Counter()
    (out / "manifest.csv").unlink(missing_ok=True)
    for repo, rows in listed.items():
        if repo not in given:
            continue
        contents = zip(rows, _objects(given[repo], [row["blob"] for row in rows]), strict=True)
        for row, content in tqdm(contents, total=len(rows), desc=repo, unit="picture", disable=None):
            if content is None:
                missing[repo] += 1
                continue
            made = _described(row, numbers)
            (out / made["path"]).parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(out / made["path"]) as partial:
                partial.write_bytes(content)
            manifest.append(made)
        print(f"{repo}: {len(rows) - missing[repo]} {_noun(rows)}")
    if not manifest:
        raise DataError("No picture of the list is in the git directories given.")
    with atomic_write(out / "manifest.csv") as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(manifest[0]))
        writer.writeheader()
        writer.writerows(manifest)
    print(f"{len(manifest)} {_noun(manifest)} in {out}")
    return missing


def _noun(rows: Sequence[dict]) -> str:
    return "clips" if "method" in rows[0] else "pictures"


def _described(row: dict, numbers: Counter) -> dict:
    """The manifest's row of a listed picture or clip, numbered within its split, class and source."""
    split = row.get("split", "train")
    number = numbers[split, row["label"], row["source"]]
    numbers[split, row["label"], row["source"]] += 1
    origin = {"origin": f"{row['repo']}:{row['path']}@{row['blob']}"}
    if "method" in row:
        path = f"{split}/{row['label']}/{row['source']}_{number:03d}{PurePosixPath(row['path']).suffix}"
        return {column: (row | origin | {"path": path, "split": split})[column] for column in CLIPS_MANIFEST}
    path = f"train/{row['label']}/{row['source']}-more_{number:05d}.jpg"
    known = row | origin | {"path": path, "split": split, "width": "", "height": ""}
    return {column: known[column] for column in MANIFEST}


def _objects(git_dir: Path, blobs: Sequence[str]) -> Iterator[bytes | None]:
    """The contents of git objects, in order; None for one that the repository lacks, or whose SHA-1 is another."""
    words = ["git", f"--git-dir={git_dir}", "cat-file", "--batch"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as git:
        try:
            for blob in blobs:
                git.stdin.write(f"{blob}\n".encode())
                git.stdin.flush()
                head = git.stdout.readline().split()
                if not head:
                    raise DataError(f"git cannot read {git_dir}: {git.stderr.read().decode().strip()[:200]}.")
                if len(head) != 3:
                    yield None
                    continue
                content = git.stdout.read(int(head[2]))
                git.stdout.read(1)
                whole = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() == blob
                yield content if whole else None
        except BrokenPipeError:
            raise DataError(f"git cannot read {git_dir}: {git.stderr.read().decode().strip()[:200]}.") from None
        finally:
            git.kill()
            with suppress(BrokenPipeError):
                git.stdin.close()
