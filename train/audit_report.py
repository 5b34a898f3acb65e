"""An audit as Markdown. Every figure comes out of the report; the sentences explain them."""

from collections.abc import Sequence

from deepfake_detect.model.onnx_model import LABELS
from train.audit_features import BAND_EDGES, NO_JPEG, STAGES
from train.audit_shortcuts import DRAWS, FOLDS, MIN_PICTURES

FACES = "faces"  # folder beside the report
LEFT_OUT = {
    True: "The recipe `{}` leaves them out of training (`train/leaks.py`).",
    False: "The recipe `{}` does not leave them out of training; one with `deduplicate: true` does.",
}
MAX_ROWS = 30  # of a table that grows with the data
SINGLE, MIN_SINGLE = 5, 0.52  # features shown of each shortcut, and the least AUC alone

PROPERTY_COLUMNS = (("width", "file", "width", 0), ("height", "file", "height", 0), ("kB", "file", "kilobytes", 1),
                    ("bits per pixel", "file", "bits_per_pixel", 2))  # fmt: skip
PIXEL_COLUMNS = (("brightness", "brightness", 0), ("saturation", "saturation", 0), ("red", "red", 0),
                 ("green", "green", 0), ("blue", "blue", 0), ("sharpness", "sharpness", 0),
                 ("blockiness", "blockiness", 3))  # fmt: skip


def audit_markdown(report: dict, plots: Sequence[str], faces: dict[str, str]) -> str:
    """The report, see `train.audit.audit`, as Markdown that reads well where the folder of faces is missing.

    Args:
        report: the figures.
        plots: names of the pictures beside it.
        faces: pictures in FACES, and what each shows.
    """
    parts = [
        *_opening(report),
        *_giveaway(report, plots),
        *_single_features(report),
        *_balance(report, plots),
        *_properties(report, plots),
        *_spectra(report, plots),
        *_duplicates(report["duplicates"]),
        *_removed(report),
        *_unreadable(report["unreadable"]),
        *_faces(faces),
        *_method(report),
    ]
    return "\n\n".join(parts) + "\n"


def _opening(report: dict) -> list[str]:
    found = [f"- {_finding(*flag)}" for flag in flagged(report)]
    near = report["duplicates"]["near"]["across_splits"]
    same, mixed = (sum(row[key] for row in near) for key in ("same", "same_with_both_labels"))
    found.append(
        f"- {same} pairs across splits look like one photograph or scene, {mixed} of them with different labels; "
        f"{report['duplicates']['identical']['across_splits']} pairs across splits are the same file."
    )
    removed = sum(row["pictures"] for row in report["removed"])
    found.append(
        f"- {removed} training pictures are of a group, or nearly the same picture, as one in another split. "
        + LEFT_OUT[report["recipe"]["deduplicate"]].format(report["recipe"]["name"])
    )
    return [
        "# What the files give away",
        "A detector takes any shortcut that its training data leaves it: JPEG quality, size, brightness. This audit "
        "asks how well such trivial features tell fakes from real pictures without a look at the face. What they can "
        "tell, a network can learn instead of learning fakes, and a test on the same files would praise it for that.",
        f"{report['pictures']} pictures were counted and compared with each other, {len(report['unreadable'])} could "
        f"not be read. {report['measured']} of them were measured, at most {report['most']} of each split, source and "
        f"class, evenly spaced. Crop, size and degradation are those of the recipe `{report['recipe']['name']}`. Data: "
        f"{', '.join(report['folders'])} (`{report['data_sha256'][:16]}`).",
        "## Findings",
        "\n".join(found),
    ]


def flagged(report: dict) -> list[tuple[str, dict]]:
    """Every (name, figures) in which a stage is a shortcut; the whole data set comes last."""
    rows = [*report["giveaway"]["sources"].items(), ("all together", report["giveaway"]["all"])]
    return [(name, found) for name, found in rows if found and any(s["shortcut"] for s in found["stages"].values())]


def _finding(name: str, found: dict) -> str:
    stages = found["stages"]
    named = [stage for stage in STAGES if stages[stage]["shortcut"]]
    left = stages["normalised"]
    rest = f"after normalisation the AUC is {left['auc']:.3f} ({left['low']:.3f} to {left['high']:.3f}), "
    rest += "still over the limit" if left["shortcut"] else "no longer a shortcut by this measure"
    best = next(iter(stages[named[0]]["features"]))
    first = f"AUC {stages[named[0]]['auc']:.3f}, above all `{best}`"
    return f"**{_cell(name)}**: shortcut at {', '.join(named)} ({named[0]}: {first}); {rest}."


def giveaway_table(report: dict) -> str:
    """AUC of trivial features, a row per source, a column per stage; shortcuts in bold."""
    rows = [("all together", report["giveaway"]["all"]), *report["giveaway"]["sources"].items()]
    lines = []
    for name, found in rows:
        if found:
            cells = [_auc(found["stages"][stage]) for stage in STAGES]
            lines.append([_cell(name), str(found["real"]), str(found["fake"]), *cells])
    return _table(["training pictures of", "real", "fake", *STAGES], lines) if lines else ""


def _auc(stage: dict) -> str:
    text = f"{stage['auc']:.3f} ({stage['low']:.3f} to {stage['high']:.3f})"
    return f"**{text}**" if stage["shortcut"] else text


def _giveaway(report: dict, plots: Sequence[str]) -> list[str]:
    one_class = [_cell(name) for name, found in report["giveaway"]["sources"].items() if not found]
    table = giveaway_table(report)
    limit = report["giveaway"]["threshold"]
    return [
        "## How much of the label the files give away",
        table or f"No source has {MIN_PICTURES} training pictures of each class.",
        f"AUC of a logistic regression on trivial features alone, with its 95 % interval; 0.5 means that nothing is "
        f"given away. Bold: even the lower end is above {limit}, which is called a shortcut here.",
        "- *file*: width, height, format, JPEG quality, chroma subsampling, size; not one pixel. A network never "
        "sees these facts, but their traces in the pixels.\n"
        "- *crop*: pixels alone, as the run time hands them to the network: brightness, colour, sharpness, "
        "blockiness, spectrum in bands.\n"
        "- *normalised*: the same after both classes went through the recipe's random resizing, blur, sharpening, "
        f"grain and JPEG, which meets {report['recipe']['degraded']:.0%} of the pictures, as in training. What is left "
        "here, training can still exploit. Not all of it need be an artefact of how the files were made: a forgery "
        "that smooths skin changes the spectrum too, and this measure cannot tell the two apart.",
        *_image("giveaway.png", "AUC by source and stage", plots),
        *([f"Not measured, for want of training pictures of both classes: {', '.join(one_class)}. In the row of all "
           "together they make the source itself tell the label."] if one_class else []),
    ]  # fmt: skip


def _single_features(report: dict) -> list[str]:
    rows = []
    for name, found in flagged(report):
        for stage in STAGES:
            if found["stages"][stage]["shortcut"]:
                features = list(found["stages"][stage]["features"].items())[:SINGLE]
                features = [(feature, v) for feature, v in features if v["auc"] >= MIN_SINGLE]
                rows += [[_cell(name), stage, f"`{feature}`", f"{v['auc']:.3f}", _number(v["real"]),
                          _number(v["fake"])] for feature, v in features]  # fmt: skip
    if not rows:
        return []
    head = ["", "stage", "feature", "AUC alone", "median real", "median fake"]
    edges = ", ".join(f"{edge:.3g}" for edge in BAND_EDGES)
    return [
        "### Which features",
        f"The {SINGLE} strongest of each shortcut, each feature by itself; either direction counts. Together they "
        "tell more than any of them. `band_1` to "
        f"`band_{len(BAND_EDGES) - 1}` are the spectrum's means in decibels, with edges at {edges} of the highest "
        f"frequency. A `jpeg_quality` of {NO_JPEG} means another format.",
        _table(head, rows),
    ]


def _balance(report: dict, plots: Sequence[str]) -> list[str]:
    splits = list(report["balance"])
    counts = report["balance"]
    rows = [
        [_cell(source), *(_pair(counts[split].get(source, {})) for split in splits)] for source in report["properties"]
    ]
    totals = ["**all**"]
    for split in splits:
        sums = {label: sum(c.get(label, 0) for c in counts[split].values()) for label in LABELS}
        totals.append(f"**{_pair(sums)}**")
    return [
        "## Balance of the classes",
        _table(["real / fake", *splits], [*rows, totals]),
        *_image("balance.png", "Pictures per split, source and class", plots),
    ]


def _pair(counts: dict) -> str:
    return f"{counts.get('real', 0)} / {counts.get('fake', 0)}" if counts else ""


def _properties(report: dict, plots: Sequence[str]) -> list[str]:
    files, pixels = [], []
    for source, classes in report["properties"].items():
        for label, known in classes.items():
            stages, head = known["stages"], [_cell(source), label]
            formats = ", ".join(f"{name} {count}" for name, count in known["formats"].items())
            quality = stages["file"]["jpeg_quality"]
            span = f"{quality['median']:.0f} ({quality['p10']:.0f} to {quality['p90']:.0f})" if quality else ""
            medians = [f"{stages[stage][key]['median']:.{digits}f}" for _, stage, key, digits in PROPERTY_COLUMNS]
            faceless = str(known["no_face"])
            files.append([*head, str(known["pictures"]), formats, span, *medians, faceless])
            pixels.append([*head, *(f"{stages['crop'][key]['median']:.{digits}f}" for _, key, digits in PIXEL_COLUMNS)])
    inexact = sum(k["inexact_quality"] for classes in report["properties"].values() for k in classes.values())
    columns = ["source", "class", "pictures", "format", "JPEG quality", *(name for name, *_ in PROPERTY_COLUMNS)]
    return [
        "## Properties by source and class",
        "Of the measured pictures: medians; of the JPEG quality also the middle 80 %. Sizes in pixels. Without a face "
        "the whole picture is used.",
        _table([*columns, "no face"], files),
        f"The JPEG quality is estimated: the file's luminance quantisation table against the IJG's standard table at "
        f"every quality from 1 to 100; the nearest counts. In {inexact} JPEG files the table is none of these, so "
        "that the figure is only the nearest.",
        "Of the face crops, before normalisation; levels 0..255, sharpness as the variance of the Laplacian, "
        "blockiness about 1 without an 8-pixel grid:",
        _table(["source", "class", *(name for name, *_ in PIXEL_COLUMNS)], pixels),
        *_image("properties.png", "Properties of files and crops by source and class", plots),
    ]


def _spectra(report: dict, plots: Sequence[str]) -> list[str]:
    return [
        "## Spectrum",
        "Radially averaged power of the grey face crops, each ring over the sum of all, so that contrast has no say. "
        "Generators and blending leave their mark at the high frequencies, but so do JPEG and resizing.",
        *_image("spectrum.png", "Power spectrum, real and fake, by source", plots),
        *_image("spectrum_difference.png", "Difference of the spectra, before and after normalisation", plots),
    ]


def _duplicates(found: dict) -> list[str]:
    identical, near = found["identical"], found["near"]
    shown = near["across_splits"][:MAX_ROWS]
    keys = ("candidates", "same", "same_with_both_labels")
    rows = [[row["splits"], _cell(row["sources"]), *(str(row[key]) for key in keys)] for row in shown]
    within = ", ".join(f"{_cell(name)} {count}" for name, count in near["within_splits"].items()) or "none"
    head = ["splits", "sources", "near", "same scene", "of these real and fake"]
    listed = [[f"`{_cell(p['a'])}`", f"`{_cell(p['b'])}`", str(p["distance"]), f"{p['match']:.2f}"]
              for p in near["closest"][:MAX_ROWS]]  # fmt: skip
    return [
        "## Duplicates and leaks between splits",
        f"Pairs of the same bytes: {identical['pairs']}, of them {identical['across_splits']} across splits and "
        f"{identical['with_both_labels']} with both labels.",
        *([_table(["same file", ""], [[f"`{_cell(p['a'])}`", f"`{_cell(p['b'])}`"]
                                      for p in identical["listed"][:MAX_ROWS]])] if identical["listed"] else []),
        f"Near pairs: the whole pictures' 64-bit perceptual hashes differ in at most {near['bits']} bits. Portraits "
        f"of strangers in one pose can come that close, so the {near['checked']} nearest pairs across splits were "
        f"compared in their details too; a correlation of {near['match']} or more counts as the same photograph or "
        "scene. Both limits were set by eye; look at the pairs before you believe a count. Cropped and mirrored "
        "copies are not found.",
        *([_table(head, rows)] if rows else ["No near pair crosses two splits."]),
        *([f"{len(near['across_splits']) - len(shown)} more kinds of pairs are in audit.json."]
          if len(near["across_splits"]) > len(shown) else []),
        *(["The closest of the same scene (more in audit.json):",
           _table(["a", "b", "bits", "details"], listed)] if listed else []),
        f"Near pairs within one split and source, not compared further: {within}.",
    ]  # fmt: skip


def _removed(report: dict) -> list[str]:
    rows = [[_cell(row["source"]), row["label"], row["reason"], str(row["pictures"])] for row in report["removed"]]
    if not rows:
        return []
    return [
        "### Left out of training",
        LEFT_OUT[report["recipe"]["deduplicate"]].format(report["recipe"]["name"])
        + " Each training picture is compared with every near one in another split, by the limits above.",
        _table(["training pictures of", "class", "as in another split", "pictures"], rows),
    ]


def _unreadable(unreadable: list[dict]) -> list[str]:
    rows = [[f"`{_cell(row['picture'])}`", _cell(row["reason"])] for row in unreadable[:MAX_ROWS]]
    more = f"{len(unreadable) - MAX_ROWS} more are in audit.json."
    return ["## Pictures that could not be read", _table(["picture", "reason"], rows),
            *([more] if len(unreadable) > MAX_ROWS else [])] if unreadable else []  # fmt: skip


def _faces(faces: dict[str, str]) -> list[str]:
    return [
        "## Faces",
        f"These pictures show people from research data sets, so the folder `{FACES}/` stays on the machine where the "
        "audit was run: git ignores it, and the links below lead nowhere in a copy.",
        "\n".join(f"- [{_cell(about)}]({FACES}/{name})" for name, about in faces.items()),
    ]


def _method(report: dict) -> list[str]:
    return [
        "## How it was measured",
        f"Features are standardised (sizes and sharpness as logarithms first). The regression is judged on the "
        f"training split by {FOLDS}-fold cross-validation that keeps groups, such as the frames of one clip, together; "
        f"the AUC is that of all out-of-fold scores, its interval comes from {DRAWS} bootstrap draws of whole groups. "
        "The regression is linear in these features, so a network can find more than it does: read the AUC as a lower "
        f"bound. A source needs {MIN_PICTURES} training pictures of each class. Everything is drawn from the "
        f"recipe's seed, {report['recipe']['seed']}: the same data gives the same figures.",
    ]


def _image(name: str, about: str, plots: Sequence[str]) -> list[str]:
    return [f"![{about}]({name})"] if name in plots else []


def _number(value: float) -> str:
    return f"{value:.4g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
