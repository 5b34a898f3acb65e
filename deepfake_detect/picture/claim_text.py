"""A file's own words, made fit to be shown."""

MAX_LENGTH = 120  # characters of a claim's text


def one_line(text: str, longest: int = MAX_LENGTH) -> str:
    """A text as one line of printable characters, at most so many; it may still hold markup."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * longest])
    return " ".join(printable.split())[:longest].strip()
