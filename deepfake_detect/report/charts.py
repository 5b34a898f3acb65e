"""Charts of what was measured, as SVG whose colours follow the page that it stands on."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, LEFT, RIGHT = 460, 44, 444  # of a line chart: its width, and the edges of its field
TOP, BOTTOM, HEIGHT = 10, 210, 252
DASHES = ("", "8 5", "2 4")  # by which lines are told apart, whatever the colours


class Line(NamedTuple):
    """A line of a chart."""

    name: str
    points: Sequence[tuple[float, float]]  # x and y, each 0..1 of the field, from left to right
    faint: bool = False  # for what the others are compared with


class Bar(NamedTuple):
    """A bar of a chart."""

    name: str
    share: float  # 0..1
    interval: tuple[float, float] | None = None  # 0..1


def line_chart(title: str, lines: Sequence[Line], across: Sequence[str], up: Sequence[str], x: str, y: str) -> str:
    """Lines over a field, and beneath it their names.

    Args:
        title: what a screen reader calls it.
        lines: at most as many that are not faint as DASHES.
        across: the words under the field, evenly from left to right.
        up: the words beside it, evenly from below to the top.
        x, y: what is shown from left to right, and from below to the top.
    """
    wide, tall = RIGHT - LEFT, BOTTOM - TOP
    drawn, legend = [], []
    dashes = iter(DASHES)
    for line in lines:
        dash = "" if line.faint else next(dashes)
        style = f'stroke-opacity="{0.35 if line.faint else 1}" stroke-dasharray="{dash}"'
        points = " ".join(f"{LEFT + wide * a:.1f},{BOTTOM - tall * b:.1f}" for a, b in line.points)
        drawn.append(f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="2" {style}/>')
        sample = f'<path d="M0 6H40" stroke="currentColor" stroke-width="2" {style}/>'
        legend.append(f'<li><svg viewBox="0 0 40 12" aria-hidden="true">{sample}</svg>{escape(line.name)}</li>')
    ticks = []
    for n, word in enumerate(across):
        at = LEFT + wide * n / (len(across) - 1)
        ticks.append(f'<text x="{at:.1f}" y="{BOTTOM + 17}" text-anchor="middle">{escape(word)}</text>')
    for n, word in enumerate(up):
        at = BOTTOM - tall * n / (len(up) - 1)
        ticks.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{escape(word)}</text>')
        ticks.append(f'<path d="M{LEFT} {at:.1f}H{RIGHT}" stroke="currentColor" stroke-opacity="0.2"/>')
    return (
        f'<figure class="chart">{_svg(title, HEIGHT)}{"".join(ticks)}{"".join(drawn)}'
        f'<text x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x)}</text>'
        f'<text x="{LEFT + 6}" y="{TOP + 12}">{escape(y)}</text></svg><ul>{"".join(legend)}</ul></figure>'
    )


def bar_chart(title: str, bars: Sequence[Bar], most: float) -> str:
    """Bars from the left, each with its name before it and its interval on it.

    Args:
        title: what a screen reader calls it.
        bars: from the top.
        most: the share 0..1 at the right end.
    """
    high, gap, start = 16, 6, 150
    wide = WIDTH - start - 20
    drawn = []
    for n, bar in enumerate(bars):
        y = n * (high + gap)
        drawn.append(f'<text x="{start - 8}" y="{y + 13}" text-anchor="end">{escape(bar.name)}</text>')
        long = wide * min(bar.share / most, 1)
        drawn.append(f'<rect x="{start}" y="{y}" width="{long:.1f}" height="{high}" fill-opacity="0.45"/>')
        if bar.interval:
            low, top = (start + wide * min(end / most, 1) for end in bar.interval)
            drawn.append(f'<path d="M{low:.1f} {y + high / 2}H{top:.1f}" stroke="currentColor" stroke-width="2"/>')
    bottom = len(bars) * (high + gap)
    drawn += [
        f'<text x="{start + wide * share:.1f}" y="{bottom + 14}" text-anchor="middle">{most * share * 100:.0f} %</text>'
        for share in (0, 0.5, 1)
    ]
    return f'<figure class="chart">{_svg(title, bottom + 22)}{"".join(drawn)}</svg></figure>'


def groups_chart(title: str, groups: dict[str, dict]) -> str:
    """False alarms by group, of a report, with their 95 % intervals."""
    spans = {name: group["interval"]["false_alarm_rate"] for name, group in groups.items()}
    bars = [
        Bar(name, group["false_alarm_rate"], (max(0.0, spans[name][0]), spans[name][1]))
        for name, group in groups.items()
    ]
    return bar_chart(title, bars, min(1.0, max(high for _, high in spans.values())))


def reliability_chart(title: str, tiers: dict[str, dict], x: str, y: str) -> str:
    """How many pictures of about the same chance of being fake were fake, for each state of the pictures.

    Args:
        title: what a screen reader calls it.
        tiers: of a report, see `deepfake_detect.report.evaluation.read_report`.
        x, y: what is shown from left to right, and from below to the top.
    """
    lines = [Line("right about itself", [(0, 0), (1, 1)], faint=True)]
    lines += [
        Line(name, [(group["p_fake"], group["fake"]) for group in tier["reliability"] if group["pictures"]])
        for name, tier in tiers.items()
    ]
    ticks = ("0", "25", "50", "75", "100")
    return line_chart(title, lines, ticks, ticks, x, y)


def degradation_chart(title: str, curve: Sequence[dict], key: str, x: str, y: str) -> str:
    """Accuracy over how far pictures are degraded, from the best on the left.

    Args:
        title: what a screen reader calls it.
        curve: of a report: `key` and `macro` figures at each step.
        key: "quality" or "scale".
        x, y: what is shown from left to right, and from below to the top.
    """
    places = [n / (len(curve) - 1) for n in range(len(curve))]
    found = [(place, step["macro"].get("balanced_accuracy")) for place, step in zip(places, curve, strict=True)]
    line = Line(y, [(place, max(0, 2 * value - 1)) for place, value in found if value is not None])
    return line_chart(title, [line], [f"{step[key]:g}" for step in curve], ("50 %", "75 %", "100 %"), x, y)


def _svg(title: str, height: int) -> str:
    said = escape(title, quote=True)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{said}" fill="currentColor" font-size="12">'
