"""The token of this machine for the Hugging Face Hub: one that can be sent, and that no message shows."""

import re

from deepfake_detect.errors import ModelError


def check_token() -> None:
    """Raise ModelError unless there is no token, or one that fits into a request: printable ASCII without spaces.

    A token that does not is named by the HTTP library's error, token and all.
    """
    from huggingface_hub import constants, get_token

    renew = "Set HF_TOKEN anew or run `hf auth login`."
    try:
        token = get_token()
    except (OSError, UnicodeError):
        raise ModelError(
            "hub_settings", f"The Hub's token in {constants.HF_TOKEN_PATH} cannot be read. {renew}"
        ) from None
    if token and not re.fullmatch(r"[!-~]+", token):
        raise ModelError(
            "hub_settings",
            "The Hub's token of this machine holds spaces, control characters or letters beyond ASCII, which no "
            f"token does. {renew}",
        )


def without_token(text: str) -> str:
    """A text that may quote a request, for a message: the token is left out."""
    from huggingface_hub import get_token

    token = get_token()
    return text.replace(token, "…") if token else text
