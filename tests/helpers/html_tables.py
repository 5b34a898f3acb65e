"""HTML tables of the page, read back."""

import re


def cells(table):
    """The rows of an HTML table: {first cell's name: other cells}."""
    rows = re.findall(r'<tr><th scope="row">(.*?)(?: <small>.*?)?</th>(.*?)</tr>', table)
    return {name: re.findall(r"<td>(.*?)</td>", rest) for name, rest in rows}
