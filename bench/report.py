"""The results as Markdown: all tables for bench/results.md, and in short for docs/speed.md."""

import math

from bench.goals import GOALS, Goal


def markdown(results: dict) -> str:
    """The goals and the tables of all parts, see `bench.__main__`."""
    parts = [_goals(results)]
    for part, found in results.items():
        parts += [f"## {part}", _machine(found["machine"])]
        parts += [f"### {table['title']}\n\n{table_of(table['columns'], table['rows'])}" for table in found["tables"]]
    return "# Measured speed\n\n" + "\n\n".join(parts) + "\n"


def docs_markdown(results: dict) -> str:
    """What a reader needs first: other engines as multiples of ours, and the goals."""
    engines = results["engines"]
    ratios = next(table for table in engines["tables"] if table["name"] == "ratios")
    table = table_of(ratios["columns"], ratios["rows"])
    return "\n\n".join((f"{ratios['title']}. {_machine(engines['machine'])}", table, _goals(results)))


def _goals(results: dict) -> str:
    return table_of(("asked of the speed", "bound", "measured", ""), [_line(goal, results) for goal in GOALS])


def _line(goal: Goal, results: dict) -> list[str]:
    bound = f"{'at most' if goal.at_least is None else 'at least'} {goal.bound:g}"
    if goal.part not in results:
        return [goal.name, bound, "not yet", ""]
    measured = _away(goal.measured(results), up=goal.at_least is None)
    return [goal.name, bound, _cell(measured), "met" if goal.met(results) else "**missed**"]


def _away(value: float, up: bool) -> float:
    """A figure of the digits that `_cell` shows, never rounded towards its goal."""
    if not value:
        return value
    unit = 10.0 ** min(0, math.floor(math.log10(abs(value))) - 2)
    return (math.ceil(value / unit - 1e-9) if up else math.floor(value / unit + 1e-9)) * unit


def _machine(machine: dict) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return f"{machine['cores']} cores of {machine['cpu']}, Python {machine['python']}, {packages}."


def table_of(columns: tuple[str, ...], rows: list[list]) -> str:
    lines = [columns, ["---"] * len(columns), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)
