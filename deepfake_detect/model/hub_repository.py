"""A repository of the Hugging Face Hub at one revision: its files from the network or from the cache, and checked."""

import hashlib
import json
import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deepfake_detect.atomic_files import write_text
from deepfake_detect.errors import ModelError
from deepfake_detect.model.hub_answers import reason, refusal, within
from deepfake_detect.model.hub_token import check_token

MANIFEST = "manifest.json"
COMMIT = re.compile(r"[0-9a-f]{40}")
# Seconds until the Hub counts as out of reach; HF_HUB_ETAG_TIMEOUT changes it. The download itself is as patient as
# huggingface_hub is.
PATIENCE = 6

log = logging.getLogger(__name__)


class OutOfReach(Exception):
    """The Hub gives no answer of use; the message says why, as the beginning of a sentence."""


@dataclass(frozen=True)
class HubRepository:
    """A repository at one revision: what of it the Hub has, what the cache has, and whether that can be trusted."""

    name: str  # owner/name
    revision: str
    cache_dir: Path | None  # None: the Hub's own

    def __str__(self) -> str:
        return self.name if self.revision == "main" else f"{self.name}@{self.revision}"

    def first_of(self, names: Sequence[str]) -> tuple[str, str]:
        """The first of these files that the repository holds, and the commit. Asks the Hub, and does not wait long.

        `hf_hub_download` alone would ask again and again for half a minute, or six, where nothing is in the cache.
        """
        from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
        from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HTTPError

        if constants.HF_HUB_OFFLINE:
            raise OutOfReach("HF_HUB_OFFLINE is set")
        check_token()
        hub, seconds = f"The Hugging Face Hub ({constants.ENDPOINT})", constants.HF_HUB_ETAG_TIMEOUT
        seconds = PATIENCE if seconds == constants.DEFAULT_ETAG_TIMEOUT else seconds
        for name in names:
            try:
                url = hf_hub_url(self.name, name, revision=self.revision)
                found = within(seconds, partial(get_hf_file_metadata, url))
            except EntryNotFoundError:
                continue
            except HfHubHTTPError as error:
                status, headers = error.response.status_code, error.response.headers
                from_hub = "X-Error-Code" in headers or "X-Error-Message" in headers  # not from a proxy, say
                if status in (408, 429) or status >= 500 or not from_hub:
                    raise OutOfReach(f"{hub} answers with error {status}") from None
                raise ModelError("hub_refused", refusal(error, self.name, self.revision)) from None
            except TimeoutError:
                raise OutOfReach(f"{hub} gave no answer in {seconds} seconds") from None
            except HTTPError as error:
                raise OutOfReach(f"{hub} cannot be reached ({reason(error)})") from None
            except ValueError:  # what cannot be part of an address
                raise ModelError(
                    "hub_settings", f"{str(self)!r} cannot be asked of the Hub. Check the name and the revision."
                ) from None
            commit = found.commit_hash or ""
            if not COMMIT.fullmatch(commit):
                raise OutOfReach(f"What answers at {constants.ENDPOINT} is not the Hugging Face Hub")
            return name, commit
        raise ModelError("model_missing", self._without(names))

    def fetch(self, name: str, commit: str) -> Path:
        """Download a file and the manifest, unless the cache has them; once more, where they do not belong together.

        Both come by the commit, so that they are of one version, and so that the cache's branch or tag goes on to
        name the version before until this one is there and checked.
        """
        for again in (False, True):
            manifest, path = self._download(MANIFEST, commit, again), self._download(name, commit, again)
            if path is None:
                raise ModelError("model_missing", self._without([name]))
            complaint = self.complaint(name, path, manifest)
            if not complaint:
                self._note(commit, folder=path.parents[name.count("/")])
                return path
            if not again:
                log.warning("%s of %s is corrupted (%s); it is fetched once more.", name, self, complaint)
        raise ModelError(
            "model_unreadable",
            f"{name} of {self} is corrupted ({complaint}), and fetching it once more did not help. "
            "Use another revision, or tell the repository's owner.",
        )

    def from_cache(self, names: Sequence[str], reason: str) -> Path:
        """The file as it was fetched before, because the Hub is out of reach."""
        found = self.cached(names)
        if not found:
            raise ModelError(
                "hub_refused",
                f"{reason}, and {names[0]} of {self} was never fetched before. "
                "Run it once where the Hub can be reached, or use a model file of this machine.",
            )
        name, path = found
        if not self.can_be_checked():
            raise ModelError(
                "hub_refused",
                f"{reason}, and {MANIFEST} of {self} was never fetched, so that its {name} in the cache cannot be "
                f"checked. Run it once where the Hub can be reached, or name the file itself: {path}.",
            )
        complaint = self.complaint(name, path, self.lookup(MANIFEST))
        if complaint:
            raise ModelError(
                "model_unreadable",
                f"{name} of {self} is corrupted in the cache ({complaint}), and cannot be fetched again: {reason}. "
                f"Delete {os.path.realpath(path)} and run it again with the Hub in reach.",
            )
        log.warning("%s: %s of %s is the copy in the cache.", reason, name, self)
        return path

    def good_copy(self, names: Sequence[str]) -> Path | None:
        """The first of these files in the cache at this revision, if it can be checked there and nothing is wrong."""
        found = self.cached(names)
        if not found or not self.can_be_checked():
            return None
        return None if self.complaint(*found, self.lookup(MANIFEST)) else found[1]

    def cached(self, names: Sequence[str]) -> tuple[str, Path] | None:
        """The first of these files that is in the cache at this revision, and where."""
        return next(((name, path) for name in names if (path := self.lookup(name))), None)

    def lookup(self, name: str) -> Path | None:
        """The path of a file in the cache at this revision."""
        path = self._cache_entry(name)
        return Path(path) if isinstance(path, str) else None  # or a mark that the repository has no such file

    def can_be_checked(self) -> bool:
        """Whether the cache has the manifest of this revision, or knows that the repository has none.

        Neither is so where another program has fetched the model.
        """
        return self._cache_entry(MANIFEST) is not None

    def _cache_entry(self, name: str) -> object:
        """A path in the cache at this revision, a mark that the repository has no such file, or None: not known."""
        from huggingface_hub import try_to_load_from_cache

        return try_to_load_from_cache(self.name, name, self.cache_dir, self.revision)

    def complaint(self, name: str, path: Path, manifest: Path | None) -> str | None:
        """What is wrong with a file by the manifest that came with it; None where nothing is."""
        if manifest is None:
            log.warning("No %s came with %s, so %s is accepted without a checksum.", MANIFEST, self, name)
            return None
        try:
            files = json.loads(manifest.read_bytes())["files"]
            expected = str(files[name]["sha256"]).lower() if name in files else None
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        except (ValueError, TypeError, KeyError, RecursionError):
            return f"its {MANIFEST} cannot be read"
        except OSError as error:
            return f"it cannot be read: {error.strerror}"
        if expected is None:
            return f"its {MANIFEST} does not list it"
        return None if sha256 == expected else f"sha256 {sha256[:12]}… where {MANIFEST} says {expected[:12]}…"

    def _note(self, commit: str, folder: Path) -> None:
        """Have the cache name this commit, whose folder is given, when it is asked for the branch or tag.

        In the cache's own layout. Asking the Hub for the file by the branch would do the same, and might move the
        cache on to a commit that has come since.
        """
        ref = folder.parent.parent / "refs" / self.revision
        try:
            if self.revision != commit and not (ref.is_file() and ref.read_text() == commit):
                ref.parent.mkdir(parents=True, exist_ok=True)
                write_text(ref, commit)
        except OSError as error:
            log.warning("Without the Hub, %s will not be found in the cache: %s: %s.", self, ref, error.strerror)

    def _download(self, name: str, commit: str, again: bool) -> Path | None:
        """A file's path in the cache, after its download if need be; None where the repository has no such file."""
        from huggingface_hub import constants, hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError, RemoteEntryNotFoundError

        try:
            return Path(
                hf_hub_download(self.name, name, revision=commit, cache_dir=self.cache_dir, force_download=again)
            )
        except RemoteEntryNotFoundError:
            return None
        except (HTTPError, OSError, ValueError, RuntimeError) as raised:
            error: BaseException = raised
            if isinstance(error, LocalEntryNotFoundError | ValueError):
                error = error.__cause__ or error  # these tell that a request failed, their cause tells why
            if isinstance(error, HfHubHTTPError):
                raise ModelError("hub_refused", refusal(error, self.name, self.revision)) from None
            if isinstance(error, OSError) and error.strerror:
                raise ModelError(
                    "model_unreadable",
                    f"{name} of {self} cannot be kept in {self.cache_dir or constants.HF_HUB_CACHE}: "
                    f"{error.strerror}. Make room there, or set HF_HOME to a folder that can be written to.",
                ) from None
            # hf_xet, which fetches large files by a way of its own, has Python's plain errors for what goes wrong.
            by_xet = isinstance(error, RuntimeError | ConnectionError)
            plainly = ", with HF_HUB_DISABLE_XET=1 by plain HTTP" if by_xet else ""
            sentence = f"{name} of {self} did not come through ({reason(error)}). Run it again{plainly}."
            raise ModelError("hub_refused", sentence) from None

    def _without(self, names: Sequence[str]) -> str:
        return (
            f"{self} has no {' and no '.join(names)}, so it cannot serve as a model here. "
            "Name a repository that `python -m export push` has made, or another variant."
        )
