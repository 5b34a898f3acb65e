"""The tab on how often the detector is wrong, drawn from the reports in reports/."""

import html
from pathlib import Path

import gradio as gr

from detect import Detector, texts
from detect.figures import (
    REPORTS,
    TIERS,
    FiguresError,
    bars_table,
    bars_text,
    borrowed_text,
    calibration_text,
    degradation_text,
    groups_table,
    groups_text,
    opening,
    operating_point,
    own_point,
    point_text,
    points,
    read_report,
    sources_table,
)

MOST_ALARMS, FIRST_ALARMS = 30, 5  # of 100 photographs: where the slider ends, and where it stands at first
NARROWEST = 320  # pixels of what stands beside something else; on a phone it stands below
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
.figures caption span { position: sticky; left: 0; display: inline-block; max-width: min(52rem, 74vw); }
.figures th, .figures td { border: 1px solid var(--border-color-primary); padding: 0.3rem 0.6rem; text-align: right;
    white-space: nowrap; color: var(--body-text-color); font-variant-numeric: tabular-nums; }
.figures thead th { background: var(--background-fill-secondary); text-align: center; font-weight: 600; }
.figures tbody th { position: sticky; left: 0; background: var(--background-fill-primary); text-align: left;
    white-space: normal; min-width: 8.5rem; font-weight: 600; }
.sources tbody th { min-width: 19rem; }
.figures tbody th small { display: block; font-weight: 400; font-size: 0.85em; color: var(--body-text-color); }
#curve svg { width: 100%; max-width: 30rem; height: auto; }
#report .md > * { max-width: 52rem; }
#alarms .tab-like-container { display: none; }
.chart { max-width: 38rem; margin-left: 0 !important; align-self: flex-start; }
.charted { flex-wrap: wrap; align-items: start; }
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


def report_tab(detector: Detector, folder: Path = REPORTS) -> None:
    """Lay out the tab for the model that is served: a report of another model is not shown.

    Args:
        detector: that serves.
        folder: holds test/ and cross/, each with report.json and its pictures.
    """
    sha256 = detector.model.sha256
    with gr.Column(elem_id="report"):
        try:
            report = read_report(folder / "test", sha256)
        except FiguresError as error:
            gr.Markdown(f"## {texts.REPORT_TITLE}\n{error}")
        else:
            try:
                cross = read_report(folder / "cross", sha256)
            except FiguresError:
                cross = None
            _figures(report, cross, folder / "test", detector.metadata.unsure_band)
        for title, text in (
            (texts.LIMITS_TITLE, texts.LIMITS),
            (texts.WRONG_TITLE, texts.WRONG),
            (texts.LICENCE_TITLE, texts.LICENCE),
        ):
            gr.Markdown(f"{title}\n{text}")


def _figures(report: dict, cross: dict | None, folder: Path, band: tuple[float, float]) -> None:
    bars = [*report.get("bars", ()), *(cross or {}).get("bars", ())]
    gr.Markdown(
        f"## {texts.REPORT_TITLE}\n{opening(report)}\n\n{bars_text(bars)}\n\n{texts.GLOSSARY}\n\n{texts.ROUNDING}"
    )
    if bars:
        with gr.Accordion(texts.BARS_LABEL, open=False):
            gr.HTML(bars_table(bars), elem_id="bars")

    _operating_points(report, band)

    gr.Markdown(f"{texts.RELIABILITY_TITLE}\n{texts.RELIABILITY_READ} {calibration_text(report)}")
    _picture(folder / "reliability.png", texts.RELIABILITY_ALT)
    gr.Markdown(f"{texts.DEGRADATION_TITLE}\n{texts.DEGRADATION_READ} {degradation_text(report)}")
    _picture(folder / "degradation.png", texts.DEGRADATION_ALT)

    gr.Markdown(f"{texts.SOURCES_TITLE}\n{texts.SOURCES_READ}")
    gr.HTML(sources_table(report, texts.SOURCES_CAPTION), elem_id="sources", elem_classes="sources")
    gr.Markdown(borrowed_text(report))
    gr.Markdown(f"{texts.CROSS_TITLE}\n{texts.CROSS_READ if cross else texts.NO_CROSS}")
    if cross:
        gr.HTML(sources_table(cross, texts.CROSS_CAPTION), elem_id="cross", elem_classes="sources")
        gr.Markdown(borrowed_text(cross))

    if report.get("groups"):
        gr.Markdown(f"{texts.GROUPS_TITLE}\n{groups_text(report['groups'])}\n\n{texts.GROUPS_READ}")
        with gr.Row(elem_classes="charted"):
            _picture(folder / "groups.png", texts.GROUPS_ALT)
            gr.HTML(groups_table(report["groups"]), elem_id="groups", min_width=NARROWEST)


def _operating_points(report: dict, band: tuple[float, float]) -> None:
    events = Figures(report)
    gr.Markdown(f"{texts.POINT_TITLE}\n{texts.POINT_INTRO}")
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


def _picture(file: Path, alt: str) -> None:
    if file.is_file():
        gr.Image(
            str(file), interactive=False, show_label=False, alt_text=alt, buttons=["fullscreen"],
            elem_id=f"report-{file.stem}", elem_classes="chart", min_width=NARROWEST,
        )  # fmt: skip
