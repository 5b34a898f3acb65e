"""The tab on how often the detector is wrong, drawn from the reports in reports/."""

import html
from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from deepfake_detect import Detector
from deepfake_detect.errors import FiguresError
from deepfake_detect.report import card_texts, evaluation_texts
from deepfake_detect.report.charts import degradation_chart, groups_chart, reliability_chart
from deepfake_detect.report.evaluation import (
    BATTERY,
    REPORTS,
    TIERS,
    borrowed_text,
    calibration_text,
    criteria_text,
    degradation_text,
    groups_text,
    opening,
    operating_point,
    own_point,
    point_text,
    points,
    read_criteria,
    read_report,
    worst_source_text,
)
from deepfake_detect.report.evaluation_tables import (
    counts_table,
    criteria_table,
    groups_table,
    kinds_table,
    photographs_table,
    sources_table,
)
from deepfake_detect.report.never_tested import generators_text
from deepfake_detect.report.overview import CALLED, Outcome, generators_untested, outcomes, outcomes_table
from deepfake_detect.report.sentences import WORDS
from page import texts

NEWEST = 8  # generators that were never tested, named at once
MOST_ALARMS, FIRST_ALARMS = 30, 5  # of 100 photographs: where the slider ends, and where it stands at first
CHART = (40, 10, 290, 200)  # left, top, width, height of the curve's field in its drawing
# The slider's number box is hidden: what is typed beyond the ends would be an error.
CSS = """
.figures { overflow-x: auto; margin: 0.5rem 0; --shade: color-mix(in srgb, var(--body-text-color) 35%, transparent);
    --cover: var(--background-fill-primary); background-repeat: no-repeat; background-position: right;
    background-size: 3rem 100%, 1.5rem 100%; background-attachment: local, scroll;
    background-image: linear-gradient(to left, var(--cover) 50%, transparent),
        linear-gradient(to left, var(--shade), transparent); }
.figures table { border-collapse: collapse; margin: 0; font-size: 0.9rem; }
.figures caption { text-align: left; padding: 0.3rem 0; color: var(--body-text-color); }
.figures caption span { position: sticky; left: 0; display: inline-block; max-width: min(52rem, 66vw); }
.figures th, .figures td { border: 1px solid var(--border-color-primary); padding: 0.3rem 0.6rem; text-align: right;
    white-space: nowrap; color: var(--body-text-color); font-variant-numeric: tabular-nums; }
.figures thead th { background: var(--background-fill-secondary); text-align: center; font-weight: 600; }
.figures tbody th { position: sticky; left: 0; background: var(--background-fill-primary); text-align: left;
    white-space: normal; overflow-wrap: anywhere; min-width: 8.5rem; font-weight: 600; }
.sources tbody th { min-width: 19rem; }
.figures tbody th small { display: block; font-weight: 400; font-size: 0.85em; color: var(--body-text-color); }
@media (max-width: 767px) {
    #outcomes .html-container { padding: 0 !important; }
    #outcomes table { width: 100%; table-layout: fixed; font-size: 0.75rem; }
    #outcomes :is(th, td) { padding: 0.3rem 0.25rem; white-space: normal; min-width: 0; }
    #outcomes tr > :first-child { width: 32%; overflow-wrap: normal; }
}
#outcomes td span { white-space: nowrap; }
#curve svg { width: 100%; max-width: 30rem; height: auto; }
#report .md > * { max-width: 52rem; }
#alarms .tab-like-container { display: none; }
.chart { margin: 0; }
.chart svg { width: 100%; max-width: 40rem; height: auto; }
.chart ul { display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; list-style: none; margin: 0; padding: 0; }
.chart li { display: flex; align-items: center; gap: 0.4rem; margin: 0; font-size: var(--text-sm); }
.chart li svg { width: 40px; height: 12px; }
.shares { max-width: 52rem; font-size: var(--text-sm); }
.shares .track { display: flex; height: 1.1rem; }
.shares .track span { background: var(--verdict); }
.shares .names { display: flex; gap: 1.2rem; }
.shares .names span { color: var(--verdict); font-weight: 600; }
.shares .row { margin-top: 0.4rem; }
@media (max-width: 767px) {
    .sources tbody th { min-width: 8.5rem; max-width: 8.5rem; }
}
"""


class Figures:
    """The events of the tab: what follows from a choice of the slider."""

    def __init__(self, report: dict):
        self.report = report

    def choose(self, alarms: float, tier: str) -> tuple[str, str]:
        """The sentences for so many false alarms of 100, and the curve with the point marked."""
        allowed = alarms / 100
        return point_text(self.report, tier, allowed), curve(self.report, tier, allowed)


def curve(report: dict, tier: str, allowed: float) -> str:
    """Detection over false alarms at every threshold, as far as the slider goes, as SVG; the chosen point is marked,
    and what the page itself does."""
    left, top, width, height = CHART
    right, bottom = left + width, top + height

    def place(point) -> tuple[float, float]:
        return left + width * point.false_alarms * 100 / MOST_ALARMS, bottom - height * point.detected

    shown = [point for point in points(report, tier) if point.false_alarms * 100 <= MOST_ALARMS]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, shown))
    chosen = operating_point(report, tier, allowed)
    own = '<rect x="{:.1f}" y="{:.1f}" width="10" height="10" fill="none" stroke="currentColor" stroke-width="2"/>'
    alarms, found = own_point(report, tier)
    if alarms * 100 <= MOST_ALARMS:
        x, y = left + width * alarms * 100 / MOST_ALARMS, bottom - height * found
        here = f'{own.format(x - 5, y - 5)}<text x="{x + 9:.1f}" y="{y + 14:.1f}">{texts.POINT_OWN}</text>'
    else:
        here = ""
    dot = '<circle cx="{:.1f}" cy="{:.1f}" r="7" fill="#e0661a" stroke="currentColor"/>'
    mark = dot.format(*place(chosen)) if chosen else ""
    ticks = [
        f'<text x="{left + width * share}" y="{bottom + 16}" text-anchor="middle">{MOST_ALARMS * share:g} %</text>'
        for share in (0, 1 / 3, 2 / 3, 1)
    ]
    ticks += [
        f'<text x="{left - 5}" y="{bottom - height * share + 4}" text-anchor="end">{share * 100:.0f} %</text>'
        f'<path d="M{left} {bottom - height * share}H{right}" stroke="currentColor" stroke-opacity="0.2"/>'
        for share in (0, 0.5, 1)
    ]
    said = html.escape(f"{texts.POINT_Y} over {texts.POINT_X}, {tier}. {texts.POINT_CURVE}")
    return (
        f'<svg viewBox="0 0 {right + 20} {bottom + 40}" role="img" aria-label="{said}" font-size="12" '
        f'fill="currentColor">{"".join(ticks)}<path d="M{left} {top}V{bottom}H{right}" fill="none" '
        f'stroke="currentColor"/><polyline points="{line}" fill="none" stroke="#3a8fd0" stroke-width="2.5"/>'
        f'{here}{mark}<text x="{left + width / 2}" y="{bottom + 34}" text-anchor="middle">{texts.POINT_X}</text>'
        f'<text x="{left + 8}" y="{top + 16}">{texts.POINT_Y}</text></svg><p>{texts.POINT_CURVE}</p>'
    )


def report_tab(detector: Detector, folder: Path = REPORTS, battery: Path = BATTERY) -> None:
    """Lay out the tab for the model that is served: a report of another model is not shown.

    Args:
        detector: that serves.
        folder: holds test/ and cross/, each with report.json.
        battery: what came of small changes, for its criteria.
    """
    sha256 = detector.model.sha256
    *limits, last_limit = evaluation_texts.LIMITS.split("\n- ")
    with gr.Column(elem_id="report"):
        try:
            report = read_report(folder / "test", sha256)
            criteria = read_criteria(battery / "battery.json", sha256)
        except FiguresError as error:
            gr.Markdown(f"## {texts.REPORT_TITLE}\n{error}")
            reports = {}
        else:
            try:
                reports = {"test": report, "cross": read_report(folder / "cross", sha256)}
            except FiguresError:
                reports = {"test": report}
            _overview(reports)
            criteria = [*(made for each in reports.values() for made in each.get("criteria", ())), *criteria]
        gr.Markdown(f"{texts.LIMITS_TITLE}\n" + "\n- ".join(limits))
        if reports:
            _figures(report, reports.get("cross"), criteria, detector.metadata.unsure_band)
        with _folded(texts.MORE_TITLE):
            gr.Markdown(
                f"- {last_limit}\n\n{texts.WRONG_TITLE}\n{texts.WRONG}\n\n{texts.LICENCE_TITLE}\n{texts.LICENCE}"
            )


def _overview(reports: dict[str, dict]) -> None:
    """What fits on one screen: a table, a chart, and what was never tested."""
    found = outcomes(reports)
    gr.Markdown(f"## {texts.REPORT_TITLE}\n{texts.REPORT_INTRO}")
    gr.HTML(outcomes_table(found), elem_id="outcomes")
    gr.HTML(_shares(found), elem_id="shares")
    known, untested = generators_untested(reports["test"]["generators"])
    named = texts.GENERATORS_UNTESTED.format(len(untested), known, ", ".join(untested[:NEWEST]))
    gr.Markdown(f"**{texts.NEVER_TITLE}** {texts.NEVER_TESTED}; {named}.", elem_id="untested")


def _shares(found: Sequence[Outcome]) -> str:
    """The table as bars: a chart with its own names, which the table tells to those who hear it."""
    rows = "".join(
        f'<div class="row"><span>{html.escape(outcome.name)}</span><div class="track">'
        + "".join(
            f'<span data-label="{label}" style="width: {100 * outcome.called[label] / outcome.total:.2f}%" '
            f'title="{WORDS[label]}"></span>'
            for label in CALLED
        )
        + "</div></div>"
        for outcome in found
        if outcome.total
    )
    names = "".join(f'<span data-label="{label}">{card_texts.ICONS[label]} {WORDS[label]}</span>' for label in CALLED)
    return f'<div class="shares" aria-hidden="true"><div class="names">{names}</div>{rows}</div>'


def _folded(title: str) -> gr.Accordion:
    return gr.Accordion(title.lstrip("# "), open=False)


def _figures(report: dict, cross: dict | None, criteria: list[dict], band: tuple[float, float]) -> None:
    with _folded(texts.MEASURED_TITLE):
        gr.Markdown(opening(report))
        gr.HTML(counts_table(report), elem_id="counts")
        gr.Markdown(criteria_text(criteria))
        if criteria:
            gr.HTML(criteria_table(criteria), elem_id="criteria")
        gr.Markdown(f"{evaluation_texts.GLOSSARY}\n\n{evaluation_texts.ROUNDING}")
        gr.Markdown(f"{texts.GENERATORS_TITLE}\n{generators_text(report['generators'])}")
    with _folded(texts.POINT_TITLE):
        _operating_points(report, band)
    with _folded(texts.RELIABILITY_TITLE):
        gr.Markdown(f"{texts.RELIABILITY_READ} {calibration_text(report)}")
        gr.HTML(
            reliability_chart(texts.RELIABILITY_ALT, report["tiers"], texts.RELIABILITY_X, texts.RELIABILITY_Y),
            elem_id="reliability",
        )
    with _folded(texts.DEGRADATION_TITLE):
        gr.Markdown(f"{texts.DEGRADATION_READ} {degradation_text(report)}")
        for kind, key, title, x in texts.DEGRADATIONS:
            gr.HTML(
                degradation_chart(title, report["curves"][kind], key, x, texts.DEGRADATION_Y),
                elem_id=f"degradation-{kind}",
            )
    with _folded(texts.SOURCES_TITLE):
        gr.Markdown(texts.SOURCES_READ)
        gr.HTML(kinds_table(report), elem_id="kinds")
        gr.HTML(photographs_table(report), elem_id="photographs")
        gr.Markdown(worst_source_text(report))
        gr.HTML(sources_table(report, texts.SOURCES_CAPTION), elem_id="sources", elem_classes="sources")
        gr.Markdown(borrowed_text(report))
        gr.Markdown(f"{texts.CROSS_TITLE}\n{texts.CROSS_READ if cross else texts.NO_CROSS}")
        if cross:
            gr.HTML(kinds_table(cross), elem_id="cross-kinds")
            gr.HTML(sources_table(cross, texts.CROSS_CAPTION), elem_id="cross", elem_classes="sources")
            gr.Markdown(borrowed_text(cross))
    groups = report.get("groups")
    if groups:
        with _folded(texts.GROUPS_TITLE):
            gr.Markdown(f"{groups_text(groups)}\n\n{texts.GROUPS_READ}")
            gr.HTML(groups_chart(texts.GROUPS_ALT, groups), elem_id="groups-chart")
            gr.HTML(groups_table(groups), elem_id="groups")


def _operating_points(report: dict, band: tuple[float, float]) -> None:
    events = Figures(report)
    gr.Markdown(texts.POINT_INTRO)
    sentences, drawing = events.choose(FIRST_ALARMS, TIERS[0])
    with gr.Row():
        with gr.Column():
            alarms = gr.Slider(
                1, MOST_ALARMS, FIRST_ALARMS, step=1, label=texts.POINT_SLIDER, elem_id="alarms", buttons=[]
            )
            tier = gr.Radio(TIERS, value=TIERS[0], label=texts.POINT_STATE, elem_id="state")
            said = gr.Markdown(sentences, elem_id="operating-point")
            gr.Markdown(texts.POINT_BAND.format(*band))
        with gr.Column():
            chart = gr.HTML(drawing, elem_id="curve")
    gr.on(
        [alarms.change, tier.change], events.choose, [alarms, tier], [said, chart], trigger_mode="always_last",
        show_progress="hidden", api_visibility="private", concurrency_limit=None,
    )  # fmt: skip
