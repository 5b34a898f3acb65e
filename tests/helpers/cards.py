"""Markdown of the model card and the reports, read back."""

import math
import re


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a Markdown text, each a list of rows of cells, without the line under the head."""
    blocks = re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    return [
        [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in block.strip().splitlines()
            if "---" not in line
        ]
        for block in blocks
    ]


def table_of(text: str, begins: str, number: int = 0) -> list[list[str]]:
    """The rows, with the head, of the table so many of those whose first column is called so."""
    return [rows for rows in tables(text) if rows[0][0] == begins][number]


def section(text: str, title: str) -> str:
    """What stands under a title of the second level."""
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]


def up(value: float, digits: int) -> float:
    """A figure that is bad when large, rounded up to so many digits."""
    return math.ceil(value * 10**digits - 1e-9) / 10**digits
