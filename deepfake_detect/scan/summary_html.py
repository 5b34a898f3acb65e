"""What a scan has come to as one HTML file that needs no other: no script, no address, nothing but what it shows."""

from html import escape

import numpy as np

from deepfake_detect.report.drawing import COLOURS
from deepfake_detect.report.measured_short import measured_in_short
from deepfake_detect.report.names import isolated, shown
from deepfake_detect.report.sentences import CAUTION, TOOL, WORDS, in_100
from deepfake_detect.scan.summary import BINS, LABELS, Shown, Summary
from deepfake_detect.verdict import NO_FACE

ERRORS = 10  # kinds listed
WITHOUT_FACE = "<p>In {} of the pictures there is nothing to judge; these come first in the listing.</p>\n"
# Of the histogram, in its own units.
BAR, GAP, HEIGHT = 30, 4, 200

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #111; background: #fff; max-width: 70rem; margin: 0 auto;
  padding: 1rem }}
h1, p, li, td {{ overflow-wrap: anywhere }}
table {{ border-collapse: collapse }}
td, th {{ text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top }}
td:first-child {{ text-align: right; font-variant-numeric: tabular-nums }}
svg {{ display: block; width: 100%; max-width: 44rem; height: auto; border-bottom: 1px solid }}
.axis {{ display: flex; justify-content: space-between; max-width: 44rem; margin: 0 }}
.key span {{ display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em }}
.key span:first-child {{ margin-left: 0 }}
ol {{ list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr));
  gap: 1rem }}
li {{ border: 1px solid #ccc; border-radius: 6px; padding: .7rem; font-size: .875rem }}
li p {{ margin: .4rem 0 0 }}
li img {{ display: block; max-width: 100%; max-height: 10rem; border-radius: 3px }}
.gone {{ color: #555 }}
</style>
</head>
<body>
<h1>Scan {name}</h1>
<p><strong>{totals}.</strong> {so_far}</p>
<p>{caution} {measured}</p>
<h2>How likely to be fake</h2>
{histogram}
{errors}
{lists}
<p class="gone">{tool}, model {model}{source}</p>
</body>
</html>
"""


def page(summary: Summary) -> str:
    """The whole file."""
    manifest, read = summary.manifest, summary.totals.pictures
    missing = manifest.pictures - read if manifest else 0
    return PAGE.format(
        title=escape(f"Scan {isolated(summary.folder.name)}"),  # an element of a title would be read as text
        name=_name(summary.folder.name),
        totals=escape(str(summary.totals)),
        so_far=f"{missing} of {manifest.pictures} are still to be judged." if manifest and missing else "",
        caution=CAUTION,
        measured=escape(measured_in_short(summary.model_sha256)),
        histogram=_histogram(summary),
        errors=_errors(summary),
        lists="\n".join(
            [
                _list("The most suspicious", summary.top),
                _list("Without a face", summary.without_face, WITHOUT_FACE.format(summary.totals.categories[NO_FACE])),
            ]
        ),
        tool=TOOL,
        model=escape(summary.model_sha256[:16]),
        source=f"; of {', '.join(map(_name, manifest.source))}" if manifest else "",
    )


def _histogram(summary: Summary) -> str:
    """Bars of pictures by their p_fake, parted by label, as SVG."""
    highest = max(1, *np.sum(list(summary.histogram.values()), axis=0))
    parts = []
    for place in range(BINS):
        y = HEIGHT
        for label in LABELS:
            number = int(summary.histogram[label][place])
            tall = number / highest * HEIGHT
            y -= tall
            if number:
                said = f"{number} {WORDS[label]}, {100 * place // BINS} to {100 * (place + 1) // BINS} in 100"
                parts.append(
                    f'<rect x="{place * BAR + GAP / 2:g}" y="{y:.2f}" width="{BAR - GAP}" height="{tall:.2f}" '
                    f'fill="{COLOURS[label]}"><title>{said}</title></rect>'
                )
    width = BINS * BAR
    key = "".join(f'<span style="background:{COLOURS[label]}"></span>{WORDS[label]}' for label in LABELS)
    return (
        f'<p class="key">{key}; the highest bar stands for {highest}.</p>\n'
        f'<svg viewBox="0 0 {width} {HEIGHT}" role="img" '
        f'aria-label="Pictures by their chance of being fake, from 0 to 100 in 100">{"".join(parts)}</svg>\n'
        '<p class="axis"><span>0</span><span>50 in 100</span><span>100</span></p>'
    )


def _errors(summary: Summary) -> str:
    if not summary.errors:
        return ""
    rows = "\n".join(
        f"<tr><td>{number}</td><td>{escape(said)}</td></tr>" for said, number in summary.errors.most_common(ERRORS)
    )
    return f"<h2>Not read</h2>\n<table>\n{rows}\n</table>"


def _list(title: str, pictures: list[Shown], note: str = "") -> str:
    """Pictures under a title; nothing where there are none."""
    cards = "\n".join(map(_card, pictures))
    return f"<h2>{title}</h2>\n{note}<ol>\n{cards}\n</ol>" if pictures else ""


def _card(picture: Shown) -> str:
    name = _name(picture.path)
    view = (
        f'<img src="{picture.thumbnail}" alt="">'
        if picture.thumbnail
        else '<p class="gone">This picture cannot be shown: it is not there any more, or has changed.</p>'
    )
    faces = f", a chance of {in_100(picture.p_fake)}, {picture.faces} face{'s' * (picture.faces != 1)}" * (
        picture.faces > 0
    )
    return (
        f'<li>{view}<p><strong style="color:{COLOURS[picture.category]}">{WORDS[picture.category]}</strong>{faces}</p>'
        f"<p>{name}</p><p>{escape(picture.reasons)}</p></li>"
    )


def _name(name: str) -> str:
    """A name in HTML, kept apart from the words around it, whichever way its letters run."""
    return f"<bdi>{escape(shown(name))}</bdi>"
