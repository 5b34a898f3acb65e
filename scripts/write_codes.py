"""Write docs/codes.md: every code that a program can meet in a verdict or an error.

python -m scripts.write_codes
"""

from pathlib import Path

from deepfake_detect.errors import CODES
from deepfake_detect.picture import content_credentials, provenance
from deepfake_detect.verdict import KINDS, REASONS

DOCS = Path(__file__).resolve().parent.parent / "docs"
HEAD = """# Codes

Sentences are for people and may be reworded; codes are for programs and keep their meaning. Lists of codes only grow.

## Reasons

`reason_codes` of a verdict, in the order of its `reasons`: why it is "unsure", and warnings that go with it.

"""
KINDS_HEAD = """
## Kinds of fakes

`kind` of a face that is called fake, and of the picture: what it is most like. It is null of everything else, where the
model tells no kinds apart, and where, on pictures held out, it was too often wrong about that kind.

"""
ERRORS = """
## Errors

`error_code` of a record, beside its `error`; in Python the attribute `code` of every exception in
`deepfake_detect.errors`.

"""

CLAIMS = """
## Claims

`code` of a claim: what a file says of itself, in the report of a photograph.

"""
STATES = """
## Content Credentials

`state` of the Content Credentials of a file; `cause` says why they were not checked, and `made` how the picture came
about by their account. `problems` are codes of C2PA's own, see “Validation” in its specification.

"""


def codes_text() -> str:
    """The page in Markdown."""
    states = "\n".join(map(_table, (content_credentials.STATES, content_credentials.CAUSES, content_credentials.MADE)))
    parts = (
        HEAD,
        _table(REASONS),
        KINDS_HEAD,
        _table(KINDS),
        ERRORS,
        _table(CODES),
        CLAIMS,
        _table(provenance.CODES),
        STATES,
        states,
    )
    return "".join(parts)


def _table(codes: dict[str, str]) -> str:
    return "".join(["| code | meaning |\n|---|---|\n", *(f"| `{c}` | {s} |\n" for c, s in codes.items())])


if __name__ == "__main__":
    DOCS.joinpath("codes.md").write_text(codes_text(), encoding="utf-8")
