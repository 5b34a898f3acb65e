"""Which known generators no test picture comes from, in words."""

from deepfake_detect.report.evaluation_texts import KINDS


def generators_text(generators: dict) -> str:
    """Which known generators were never tested, and which were tested without having been trained on, in Markdown.

    Args:
        generators: of a report, see `train.generators.generators`.
    """
    known = generators["known"]
    tested = [row for row in known if row["test"] + row["cross"]]
    new = [f"{row['name']} ({row['test'] + row['cross']} pictures)" for row in tested if not row["train"]]
    both = [row["name"] for row in tested if row["cross"] and row["train"]]
    lines = [
        f"- {KINDS[kind]}: " + ", ".join(f"{row['name']} ({row['year']})" for row in rows)
        for kind in dict.fromkeys(row["kind"] for row in known)
        if (rows := [row for row in known if row["kind"] == kind and row not in tested])
    ]
    parts = [f"**Never tested on photographs**: {len(known) - len(tested)} of {len(known)} known ways to make a fake."]
    parts.append("\n".join(lines))
    if new:
        parts.append(f"Tested, and never trained on: {', '.join(new)}.")
    if both:
        parts.append(f"Of the generators of `cross`, trained on through other sources: {', '.join(both)}.")
    if others := sum(generators["others"].values()):
        parts.append(f"Of {others} fakes it is not known, or not in the list, what made them: it may be some of these.")
    return "\n\n".join(part for part in parts if part)
