"""What the Hub answers, or fails to answer, as sentences."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from deepfake_detect.model.hub_token import without_token

Answer = TypeVar("Answer")


def refusal(error, name: str, revision: str) -> str:
    """An answer of the Hub (HfHubHTTPError), as a sentence that says what to do."""
    from huggingface_hub import constants, get_token
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    page, status = f"{constants.ENDPOINT}/{name}", error.response.status_code
    log_in = "set HF_TOKEN or run `hf auth login`"
    if isinstance(error, GatedRepoError):
        return f"{name} is gated. Ask for access at {page}, then {log_in}, and run it again."
    if isinstance(error, RevisionNotFoundError):
        return f"{name} has no revision {revision!r}. Name a branch, a tag or a commit of {page}."
    if status == 401 and get_token():
        return (
            f"The Hub does not accept the token of this machine for {name}. Make a new one at "
            f"{constants.ENDPOINT}/settings/tokens and {log_in}, or remove it if the repository is public."
        )
    if status == 401:
        return f"{name} is private, or there is no such repository. Check the name, or {log_in}."
    if isinstance(error, RepositoryNotFoundError):
        return (
            f"There is no repository {name} on the Hub, or it is private and not open to this token. "
            "Check the name, owner/name."
        )
    said = " ".join(without_token(error.server_message or "").split())[:200]
    return f"The Hub answers with error {status} to a request for {name}{said and f' ({said})'}. See {page}."


def within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns or raises; TimeoutError after so many seconds, whatever it is still busy with.

    The time-out of an HTTP request holds for each address of a host in turn, and not for looking up its name.
    """
    answers: SimpleQueue[tuple] = SimpleQueue()

    def run() -> None:
        try:
            answers.put((ask(), None))
        except Exception as error:
            answers.put((None, error))

    Thread(target=run, daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if error:
        raise error
    return answer


def reason(error: BaseException) -> str:
    """The first line of an error's message, or its kind."""
    lines = without_token(str(error)).strip().splitlines()
    return lines[0][:200].rstrip(".") if lines else type(error).__name__
