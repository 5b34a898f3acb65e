"""What was measured of the served model as HTML tables, for the page."""

import html
from collections.abc import Callable, Iterable, Sequence

from deepfake_detect.report import evaluation_texts as texts
from deepfake_detect.report.evaluation import (
    SAID,
    TIERS,
    class_sizes,
    floor_rate,
    measured_of,
    result_of,
    span,
    wanted_of,
)
from deepfake_detect.report.sentences import WORDS, ceil_percent, floor_percent

VERDICTS = tuple((f"“{WORDS[said]}”", 1) for said in SAID)  # columns


def counts_table(report: dict) -> str:
    """Photographs and fakes in every state by what was said of them, with 95 % intervals, as an HTML table."""
    rows = [
        [f"{html.escape(texts.CLASSES[name])}, {tier}", f"{counts['pictures']:,}", *_said(counts)]
        for tier in TIERS
        for name, counts in report["tiers"][tier]["counts"].items()
    ]
    return table(texts.COUNTS_CAPTION, [("pictures of", 1), ("pictures", 1), *VERDICTS], [], rows)


def kinds_table(report: dict) -> str:
    """Every kind of fake: how it ranks against all photographs, and what was said of it, as an HTML table."""
    rows = _by_kind(report, "kinds", floor_rate, "auc")
    return table(texts.KINDS_CAPTION, [("fakes", 1), ("pictures", 1), ("AUC", 3), *VERDICTS], TIERS, rows)


def photographs_table(report: dict) -> str:
    """Every kind of photograph: false alarms, and what was said of it, as an HTML table."""
    rows = _by_kind(report, "photographs", ceil_percent, "false_alarm_rate")
    columns = [("photographs", 1), ("pictures", 1), ("false alarms", 3), *VERDICTS]
    return table(texts.PHOTOGRAPHS_CAPTION, columns, TIERS, rows)


def _by_kind(report: dict, part: str, rounded: Callable[[float], str], key: str) -> list[list]:
    """Rows of a part of every tier by kind: one of its rates, and what was said of the clean pictures."""
    clean, *worse = (report["tiers"][tier][part] for tier in TIERS)
    return [
        [
            html.escape(texts.KINDS[kind]),
            metrics["pictures"],
            *_three(rounded, [metrics, *(kinds.get(kind, {}) for kinds in worse)], key),
            *_said(metrics["counts"]),
        ]
        for kind, metrics in clean.items()
    ]


def sources_table(report: dict, caption: str) -> str:
    """Ranking, detection and false alarms of every source in every state, as an HTML table."""
    tiers = [report["tiers"][tier] for tier in TIERS]
    rows = [
        (html.escape(texts.ALL_PICTURES), class_sizes(report, "clean"), [figures["all"] for figures in tiers]),
        (html.escape(texts.MEAN_OF_SOURCES), ("", ""), [figures["macro"] for figures in tiers]),
    ]
    for source, metrics in tiers[0]["sources"].items():
        rows.append((_source(source), _sizes(metrics), [figures["sources"].get(source, {}) for figures in tiers]))
    return table(
        caption,
        [("source", 1), ("AUC", 3), ("detected", 3), ("false alarms", 3), ("photographs", 1), ("fakes", 1)],
        TIERS * 3,
        [
            [
                name,
                *_three(floor_rate, figures, "auc"),
                *_three(floor_percent, figures, "recall", "detection_rate"),
                *_three(ceil_percent, figures, "false_alarm_rate"),
                *sizes,
            ]
            for name, sizes, figures in rows
        ],
    )


def groups_table(groups: dict) -> str:
    """False alarms by group with their counts and 95 % intervals, as an HTML table."""
    rows = []
    for name, group in groups.items():
        (low, high), rate = group["interval"]["false_alarm_rate"], group["false_alarm_rate"]
        spread = f"{floor_percent(max(0, low))} to {ceil_percent(min(1, high))}"
        called = round(rate * group["pictures"])
        rows.append([html.escape(name), group["pictures"], called, ceil_percent(rate), spread])
    columns = ("group", "photographs", "called fake", "share", "95 % interval")
    return table(texts.GROUPS_CAPTION, [(column, 1) for column in columns], [], rows)


def criteria_table(criteria: Iterable[dict]) -> str:
    """Every criterion, met, missed or not measured, as an HTML table."""
    rows = [
        [
            html.escape(criterion["name"]),
            wanted_of(criterion),
            measured_of(criterion),
            f"<strong>{result}</strong>" if (result := result_of(criterion)) == "missed" else result,
        ]
        for criterion in criteria
    ]
    columns = ("asked of the detector", "criterion", "measured", "result")
    return table(texts.CRITERIA_LABEL, [(column, 1) for column in columns], [], rows)


def table(caption: str, columns: Sequence[tuple[str, int]], below: Sequence[str], rows: Iterable[Sequence]) -> str:
    """An HTML table that scrolls inside itself.

    Args:
        caption: also what a screen reader calls it.
        columns: names and how many columns each spans.
        below: names of the columns under those, or none.
        rows: of HTML; the first cell names the row.
    """
    double = ' rowspan="2"' if below else ""
    heads = [
        f'<th scope="colgroup" colspan="{span}">{name}</th>' if span > 1 else f'<th scope="col"{double}>{name}</th>'
        for name, span in columns
    ]
    under = "".join(f'<th scope="col">{name}</th>' for name in below)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for first, *cells in rows
    )
    head = f"<tr>{''.join(heads)}</tr>" + (f"<tr>{under}</tr>" if under else "")
    said = html.escape(caption)
    return (
        f'<div class="figures" role="region" tabindex="0" aria-label="{said}"><table>'
        f"<caption><span>{said}</span></caption><thead>{head}</thead><tbody>{body}</tbody></table></div>"
    )


def _said(counts: dict) -> list[str]:
    """How often each of SAID was said, with the interval of its share."""
    return [f"{counts[said]:,} <small>{span(counts['interval'][said])}</small>" for said in SAID]


def _sizes(metrics: dict) -> tuple[int, int]:
    """Photographs and fakes of a source: one that has fakes or photographs alone has no confusion matrix."""
    confusion = metrics.get("confusion")
    if confusion:
        real = confusion["real_as_real"] + confusion["real_as_fake"]
        return real, metrics["pictures"] - real
    return (0, metrics["pictures"]) if "detection_rate" in metrics else (metrics["pictures"], 0)


def _three(rounded, figures: list[dict], *keys: str) -> list[str]:
    found = (next((f[key] for key in keys if f.get(key) is not None), None) for f in figures)
    return ["–" if value is None else rounded(value) for value in found]


def _source(source: str) -> str:
    name, shows = texts.SOURCES.get(source, (source, ""))
    return (
        f"{html.escape(name)} <small>{html.escape(source)}: {html.escape(shows)}</small>"
        if shows
        else html.escape(name)
    )
