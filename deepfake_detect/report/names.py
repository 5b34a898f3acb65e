"""Names of files: exactly for programs, safely for people.

A program gets a name as it is, whatever signs are in it, so that it finds the file again. Only what no text can carry,
the bytes of a name that is not valid UTF-8, needs an agreement. Python has such a byte as a lone surrogate, U+DC80 to
U+DCFF (PEP 383), and so have these names:

- JSON, written by `json_text`, has it as the escape `\\udcff`; a parser gives back the very string, and
  `os.fsencode(record["path"])` the bytes.
- CSV, Parquet and the page's API are UTF-8 to the last byte and have the same six signs, `\\udcff`, as text, see
  `as_text`; `from_text` gives back the name. In a name with something in it that reads like such an escape, every
  backslash is doubled; in all others it stands for itself.

People get what `shown` makes of it: signs that could deceive are escaped where they can be seen, and a name with
letters that run from right to left is kept apart from the words around it.
"""

import json
import re
import unicodedata

_SURROGATE = re.compile("[\ud800-\udfff]")
# What JSON may hold as it is, but not a line of it: at some of these, programs that read line by line begin a new one.
_NOT_IN_LINES = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ESCAPE = re.compile(r"\\u(d[89a-f][0-9a-f]{2})")
_ESCAPED = re.compile(r"\\(?:u(d[89a-f][0-9a-f]{2})|(\\))")
# Signs that change the order of those around them, which can make one name look like another (Unicode UAX #9); what
# isolates is among them, because a name must not end the isolation that it is shown in. Marks such as U+200E are not.
_ORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FROM_THE_RIGHT = ("R", "AL", "AN", "RLE", "RLO", "RLI")  # kinds of letters
_OPEN, _CLOSE = "\u2068", "\u2069"  # isolate, whichever way the first letter runs; and the end of it


def json_text(value: object, indent: int | None = None) -> str:
    """JSON with every sign as itself, but for what UTF-8 does not have, control codes and ends of lines, which are
    escaped."""
    return _NOT_IN_LINES.sub(_escape, json.dumps(value, ensure_ascii=False, indent=indent))


def as_text(name: str) -> str:
    """A name as valid Unicode, from which `from_text` makes the same name again."""
    if not _SURROGATE.search(name) and not _ESCAPE.search(name):
        return name
    return _SURROGATE.sub(_escape, name.replace("\\", "\\\\"))


def from_text(text: str) -> str:
    """The name that `as_text` has made a text of."""
    if not _ESCAPE.search(text):
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", text)


def shown(name: str) -> str:
    """A name for people, on one line: control codes, line breaks, signs that reorder, and bytes that are no text are
    escaped as `\\x1b`, `\\u202e` or `\\xff`; everything else, joiners of letters and of emoji included, stays."""
    return "".join(map(_seen, name))


def isolated(name: str) -> str:
    """`shown` inside a text for people: where its letters run from right to left, or could, between two signs that keep
    the words around it in their order. In HTML, the element `<bdi>` around `shown` does the same."""
    text = shown(name)
    runs_left = any(unicodedata.bidirectional(sign) in _FROM_THE_RIGHT for sign in text)
    return f"{_OPEN}{text}{_CLOSE}" if runs_left else text


def _escape(found: re.Match) -> str:
    return f"\\u{ord(found[0]):04x}"


def _seen(sign: str) -> str:
    number, kind = ord(sign), unicodedata.category(sign)
    if 0xDC80 <= number <= 0xDCFF:  # stands for a byte
        return f"\\x{number - 0xDC00:02x}"
    if kind not in ("Cc", "Zl", "Zp", "Cs") and sign not in _ORDERING:
        return sign
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
