"""The model repository and both Spaces -> the Hugging Face Hub: one commit each, tagged with the project's version."""

import argparse
import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from deepfake_detect import __version__
from deepfake_detect.errors import ModelError
from deepfake_detect.model.hub import REPOSITORY
from deepfake_detect.model.hub_token import check_token, without_token
from export import ExportError

# What is published -> the kind of its repository; a Space needs its own kind before its README is there to tell.
KINDS = {
    "model": ("model", {}),
    "space": ("space", {"space_sdk": "gradio"}),
    "web": ("space", {"space_sdk": "static"}),
}
WEB_PAGE = "WEB_PAGE"  # the variable of a Space that names the static one, see page/app.py
AGAIN = "Run the same command again: what has arrived is not sent twice."


@dataclass(frozen=True)
class LocalFile:
    """A file to publish: its path in the repository, with "/", and on this machine; size in bytes."""

    name: str
    path: Path
    size: int
    sha256: str


def listing(folder: Path) -> list[LocalFile]:
    """Every file of a folder, sorted by name."""
    paths = {path.relative_to(folder).as_posix(): path for path in Path(folder).rglob("*") if path.is_file()}
    contents = ((name, path, path.read_bytes()) for name, path in sorted(paths.items()))
    return [LocalFile(name, path, len(data), hashlib.sha256(data).hexdigest()) for name, path, data in contents]


def push(folder: Path, repo: str, kind: str, version: str, private: bool = False) -> str:
    """Publish a folder as it is: make the repository if there is none, one commit, the tag v<version>; print the URL.

    Files of the repository that the folder does not have are left alone. Where the tag holds the same files
    already, nothing is sent. The token is that of HF_TOKEN or of the Hub's own login.

    Args:
        folder: a complete repository, files only.
        repo: owner/name.
        kind: "model", "space", or "web", a static Space.
        version: of the files; a tag that names other files is never moved.
        private: make the repository private if it is made here; a public one is refused.

    Returns:
        The commit of the tag, 40 hexadecimal digits.

    Raises:
        ExportError: the Hub cannot be reached or refuses, the version is published with other files, or what
            arrived is not what was sent. The same call can be repeated.
    """
    from huggingface_hub import CommitOperationAdd

    api, files, tag = sign_in(), listing(folder), f"v{version}"
    kind, sdk = KINDS[kind]
    with _explained(api.endpoint, repo):
        url = api.create_repo(repo, repo_type=kind, private=private or None, exist_ok=True, **sdk)
        if private and not api.repo_info(repo, repo_type=kind).private:
            raise ExportError(
                f"{repo} is there already and public. Make it private at {url}/settings, or leave out --private."
            )
        tagged = {ref.name: ref.target_commit for ref in api.list_repo_refs(repo, repo_type=kind).tags}.get(tag)
        if tagged and (differing := _differing(api, repo, kind, tagged, files)):
            raise ExportError(
                f"{tag} of {repo} is published, with other contents ({_few(differing)}), and nothing was sent. Raise "
                f"the version of the package, or delete the tag on the Hub's page, {url}."
            )
        if tagged:  # a commit would take main back to this version
            print(f"{url}: tag {tag}, commit {tagged[:7]}, holds these {len(files)} files already; nothing was sent")
            return tagged
        # Not `upload_folder`, which may make several commits of a folder where hf_xet is installed.
        additions = [CommitOperationAdd(file.name, str(file.path)) for file in files]
        commit = api.create_commit(repo, additions, commit_message=f"Version {version}", repo_type=kind).oid
        if lost := _differing(api, repo, kind, commit, files):
            raise ExportError(
                f"{repo} does not hold what was sent ({_few(lost)}); {tag} was not set. "
                "See whether a .gitignore there leaves these files out, and run the same command again."
            )
        api.create_tag(repo, tag=tag, revision=commit, repo_type=kind)
    megabytes = sum(file.size for file in files) / 1e6
    print(f"{url}: {len(files)} files, {megabytes:.1f} MB, commit {commit[:7]}, tag {tag}")
    return commit


def link(space: str, web: str) -> None:
    """Have the page of a Space link to the static Space that needs no upload, by a variable of its settings.

    Raises:
        ExportError: the Hub cannot be reached or refuses. The same call can be repeated.
    """
    api = sign_in()
    with _explained(api.endpoint, space):
        api.add_space_variable(space, WEB_PAGE, address(web))
    print(f"{address(space)}: its page links to {address(web)}")


def address(space: str) -> str:
    """Where a Space of this name is shown."""
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/spaces/{space}"


def sign_in():
    """The Hub's API (`huggingface_hub.HfApi`) with a token that it accepts; raises ExportError."""
    from huggingface_hub import HfApi, get_token

    try:
        check_token()
    except ModelError as error:
        raise ExportError(str(error)) from None
    token = get_token()
    api = HfApi(token=token)
    if token is None:
        raise ExportError(
            f"Publishing takes a token with write permission: make one at {api.endpoint}/settings/tokens, and set "
            "HF_TOKEN to it or run `hf auth login`."
        )
    with _explained(api.endpoint, "your account"):
        api.whoami()
    return api


def _differing(api, repo: str, kind: str, revision: str, files: list[LocalFile]) -> list[str]:
    """Names of the files that are missing or different in a repository at this revision."""
    tree = api.list_repo_tree(repo, recursive=True, revision=revision, repo_type=kind)
    there = {entry.path: entry for entry in tree if hasattr(entry, "blob_id")}  # folders have none

    def is_there(file: LocalFile) -> bool:
        entry = there.get(file.name)
        if entry is None:
            return False
        return entry.lfs.sha256 == file.sha256 if entry.lfs else entry.blob_id == _git_id(file.path)

    return [file.name for file in files if not is_there(file)]


def _git_id(path: Path) -> str:
    """The name that git gives to a file's contents."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


@contextmanager
def _explained(endpoint: str, repo: str) -> Iterator[None]:
    """What goes wrong on the way to the Hub as an ExportError that says what to do."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled

    try:
        yield
    except ExportError:
        raise
    except (HTTPError, OSError, ValueError, RuntimeError) as error:
        if isinstance(error, OSError) and error.strerror:
            raise  # a file of this machine
        while not isinstance(error, HTTPError) and error.__cause__:
            error = error.__cause__  # the library wraps the error of an upload
        if isinstance(error, HfHubHTTPError):
            sentence = _refusal(error, endpoint, repo)
        elif isinstance(error, HTTPError):
            sentence = f"The connection to {endpoint} broke off ({_one_line(error)}). {AGAIN}"
        elif isinstance(error, OfflineModeIsEnabled):
            sentence = "HF_HUB_OFFLINE is set. Unset it to publish."
        elif isinstance(error, OSError | RuntimeError):  # of hf_xet, which sends large files by a way of its own
            plain = "Set HF_HUB_DISABLE_XET=1 to send them by plain HTTP."
            sentence = f"The large files of {repo} did not get through ({_one_line(error)}). {AGAIN} {plain}"
        else:
            sentence = f"{repo} was not published: {_one_line(error)}. Mend this and run the same command again."
        raise ExportError(sentence) from None


def _refusal(error, endpoint: str, repo: str) -> str:
    """An answer of the Hub (HfHubHTTPError) as a sentence that says what to do."""
    status = error.response.status_code
    said = f"{status}{f': {_one_line(error.server_message)}' if error.server_message else ''}"
    token = f"at {endpoint}/settings/tokens, set HF_TOKEN to it or run `hf auth login`, and run the same command again"
    if status == 401:
        return f"The Hub does not accept the token ({said}). Make one with write permission {token}."
    if status == 403:
        return f"The token may not write to {repo} ({said}). Make one with write permission to it {token}."
    if status == 429 or status >= 500:
        return f"The Hub has trouble of its own ({said}). Wait some minutes. {AGAIN}"
    return f"The Hub refuses {repo} ({said}). Mend this and run the same command again."


def _one_line(error: object) -> str:
    return " ".join(without_token(str(error)).split())[:300].rstrip(".") or type(error).__name__


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `python -m export push`."""
    parser.add_argument("--model-repo", metavar="USER/NAME", help="the model repository; made if there is none")
    parser.add_argument("--space-repo", metavar="USER/NAME", help="the Space; made if there is none")
    parser.add_argument(
        "--web-repo", metavar="USER/NAME", help="the static Space that judges in the browser; made if there is none"
    )
    parser.add_argument("--private", action="store_true", help="make them private; refuse one that is public")
    parser.add_argument("--dry-run", action="store_true", help="list every file; nothing is asked of the network")


def run(args: argparse.Namespace) -> None:
    """The command `python -m export push`: build what is asked for in a temporary folder, then publish or list it."""
    named = {"model": args.model_repo, "space": args.space_repo, "web": args.web_repo}
    wanted = {kind: repo for kind, repo in named.items() if repo}
    if not wanted:
        raise ExportError("Give --model-repo USER/NAME, --space-repo USER/NAME, --web-repo USER/NAME, or several.")
    if args.space_repo and args.space_repo == args.web_repo:
        raise ExportError("The Space and the static Space are two repositories. Give them two names.")
    for repo in wanted.values():
        if not REPOSITORY.fullmatch(repo):
            raise ExportError(f"{repo!r} is not the name of a repository on the Hub; give USER/NAME.")
    if not args.dry_run:
        sign_in()  # before the work of building
        if not sys.stderr.isatty():
            from huggingface_hub.utils import disable_progress_bars

            disable_progress_bars()
    version = __version__
    with TemporaryDirectory(prefix="push-") as temporary:
        folders = {kind: _build(kind, Path(temporary) / kind, wanted) for kind in wanted}
        for kind, repo in wanted.items():
            if args.dry_run:
                _show(listing(folders[kind]), f"{kind} {repo}, tag v{version}")
            else:
                push(folders[kind], repo, kind, version, args.private)
    if {"space", "web"} <= wanted.keys() and not args.dry_run:
        link(wanted["space"], wanted["web"])


def _build(kind: str, out: Path, wanted: dict[str, str]) -> Path:
    """The folder of one of the repositories that are wanted, whose names its texts give."""
    if kind == "model":
        from export.repository import build_model_repo

        return build_model_repo(out, name=wanted["model"], space=wanted.get("space"))
    if kind == "web":
        from export.web import build_web

        return build_web(out, server=address(wanted["space"]) if "space" in wanted else "")
    from export.space import build_space

    return build_space(out, name=wanted["space"])


def _show(files: list[LocalFile], title: str) -> None:
    print(f"{title}: {len(files)} files, {sum(file.size for file in files) / 1e6:.1f} MB; nothing is sent")
    for file in files:
        print(f"{file.sha256}  {file.size:>10}  {file.name}")
