"""A face's score after every small change, as bars in HTML: each with its words beside it, read out row by row."""

from detect.explain import WORDS, in_100
from detect.show import COLOURS
from detect.stability import Stability

AS_IT_IS = "as it is"
CSS = """
#scores table { width: 100%; table-layout: fixed; border-collapse: collapse; font-size: var(--text-sm); }
#scores :is(table, tr, th, td) { border: none !important; padding: 0.2rem 0.4rem 0.2rem 0; }
#scores :is(th, td) { text-align: left; font-weight: normal; }
#scores th { width: 30%; }
#scores td:last-child { width: 33%; padding-left: 0.6rem; }
#scores .track { background: var(--background-fill-secondary); }
#scores .bar { height: 1rem; }
"""


def bars(tested: Stability) -> str:
    """A table with a row for the face as it is and for each change: the change, the bar, the chance and the verdict."""
    rows = [(AS_IT_IS, tested.face), *((again.name, again) for again in tested.rescores)]
    return f"<table>{''.join(_row(name, scored.p_fake, scored.label) for name, scored in rows)}</table>"


def _row(name: str, p_fake: float, label: str) -> str:
    bar = f'<div class="bar" style="width: {100 * p_fake:.1f}%; background: {COLOURS[label]}"></div>'
    cells = f'<div class="track">{bar}</div>', f"{in_100(p_fake)}, {WORDS[label]}"
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
