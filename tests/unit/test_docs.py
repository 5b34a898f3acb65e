"""README and docs/ show the figures of the reports, and nothing else; their links, pictures and limits hold."""

import json
import re
from pathlib import Path

import pytest
from commands import here
from project import ROOT
from survived import DOCS as HARDENING_PAGE
from survived import hardening_markdown

from bench.__main__ import MARK
from bench.report import docs_markdown as speed_markdown
from deepfake_detect.picture import decode as picture
from deepfake_detect.video import decide as video
from deepfake_detect.video import frame_plan, video_file
from deepfake_detect.video import reader as frames
from export.clients import clients_markdown
from page import batch as album
from scripts import web_parity, write_readme
from train.ablation_report import ablation_markdown
from train.battery_report import short_markdown as battery_markdown
from train.compare_report import compare_markdown
from train.crowds_report import short_markdown
from train.report import END, begin_mark, docs_markdown
from train.videos_report import short_markdown as videos_markdown

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
GUIDES = [*PAGES, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "RELEASE.md"))]
MOST_BYTES = 8192  # of README, without the Space's header
SHIPPED = write_readme.reports()
BLOCK = re.compile(r"<!-- report: (.*?) -->\n(.*?)\n<!-- end of report -->", re.DOTALL)


def report(name: str) -> dict:
    return json.loads((ROOT / "reports" / name / f"{name}.json").read_text(encoding="utf-8"))


def web_report(name: str) -> dict:
    return json.loads((ROOT / "reports" / "web" / f"{name}.json").read_text(encoding="utf-8"))


TABLES = {
    ("README.md", write_readme.SENTENCE): write_readme.texts(SHIPPED)[write_readme.SENTENCE],
    ("README.md", write_readme.VIDEOS): write_readme.texts(SHIPPED)[write_readme.VIDEOS],
    ("README.md", write_readme.TABLE): write_readme.texts(SHIPPED)[write_readme.TABLE],
    ("docs/accuracy.md", "shipped, test"): docs_markdown(SHIPPED["test"]),
    ("docs/accuracy.md", "shipped, cross"): docs_markdown(SHIPPED["cross"]),
    ("docs/accuracy.md", "battery"): battery_markdown(report("battery")),
    ("docs/accuracy.md", "compare"): compare_markdown(report("compare")),
    ("docs/accuracy.md", "ablation"): ablation_markdown(report("ablation")),
    ("docs/accuracy.md", "crowds"): short_markdown(report("crowds")),
    ("docs/accuracy.md", "videos"): videos_markdown(
        json.loads((ROOT / "reports" / "videos" / "report.json").read_text(encoding="utf-8"))
    ),
    (HARDENING_PAGE.as_posix(), "hardening"): hardening_markdown(report("hardening")),
    ("docs/publishing.md", "clients"): clients_markdown(report("clients")),
    ("docs/web.md", web_parity.MARK[False]): web_parity.docs_markdown(web_report("parity")),
    ("docs/web.md", web_parity.MARK[True]): web_parity.docs_markdown(web_report("parity_int8")),
    ("docs/speed.md", MARK): speed_markdown(json.loads((ROOT / "bench" / "results.json").read_text(encoding="utf-8"))),
}


@pytest.mark.parametrize(("page", "name"), TABLES, ids=[name for _, name in TABLES])
def test_a_table_is_the_one_of_its_report(page, name):
    _, _, rest = (ROOT / page).read_text(encoding="utf-8").partition(begin_mark(name))
    shown, closed, _ = rest.partition(END)
    assert closed and shown.strip() == TABLES[page, name].strip()


def test_every_generated_block_is_held_to_its_report():
    found = {(page.relative_to(ROOT).as_posix(), name) for page in PAGES for name, _ in BLOCK.findall(text_of(page))}
    assert found == set(TABLES)


def text_of(page: Path) -> str:
    """A page without the header of the Space."""
    text = page.read_text(encoding="utf-8")
    return text.split("---\n", 2)[2] if page == README else text


def test_readme_is_one_screen():
    assert len(text_of(README).encode()) <= MOST_BYTES
    assert text_of(README).count("```") >= 8 and "![" in text_of(README)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_links_and_pictures_are_there(page):
    text = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    links = re.findall(r"\]\(((?!http)[^)]+)\)", text) + re.findall(r'src="(.*?)"', text)
    for link in links:
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists() and target.is_relative_to(ROOT), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, link


def test_readme_leads_to_every_page():
    linked = set(re.findall(r"\]\(([^)]+)\)", text_of(README)))
    assert {page.relative_to(ROOT).as_posix() for page in GUIDES if page != README} <= linked


def test_the_map_of_the_code_names_what_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w.][\w./-]*(?:/|\.\w+))`", text)) - {"__version__"}
    assert len(named) > 60
    missing = sorted(name for name in named if not (ROOT / name).exists())
    assert not missing, missing
    folders = {path.name for path in (ROOT / "deepfake_detect").iterdir() if any(path.glob("*.py"))}
    assert {f"deepfake_detect/{name}/" for name in folders} <= named


def steps(title: str) -> list[str]:
    """The numbered steps under a title of CONTRIBUTING."""
    section = text_of(ROOT / "CONTRIBUTING.md").partition(f"## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\d+\. (.*?)(?=^\d+\. |\Z)", section, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("change", ["picture format", "recipe key", "reason code", "tab", "endpoint"])
def test_what_a_step_of_a_usual_change_names_stands_in_its_files(change):
    found = steps(f"How to add a{'n' * (change[0] in 'aeiou')} {change}")
    assert len(found) >= 5
    for step in found:
        quoted = [name for name in re.findall(r"`([^`]+)`", step) if not name.startswith("python ")]
        paths = {name for name in quoted if (ROOT / name).exists()}
        sources = [ROOT / name for name in paths if name.endswith((".py", ".js"))]
        text = "".join(source.read_text(encoding="utf-8") for source in sources)
        words = {word for name in {*quoted} - paths for word in re.findall(r"[A-Za-z_-]{3,}", name)}
        missing = {word for word in words if word not in text}
        assert paths and not missing, (step, missing)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_measured_figure_is_typed_by_hand(page):
    prose = re.sub(r"```.*?```", "", BLOCK.sub("", text_of(page)), flags=re.DOTALL)
    assert not re.findall(r"\d+(?:\.\d+)? ?%|\b0\.\d{2,}\b", prose)


def test_the_sample_is_what_the_command_prints(monkeypatch):
    def words_and_scores(text):
        """Without the milliseconds; scores may differ a little from processor to processor."""
        text = re.sub(r" \d+\.\d\b", "", text)
        return re.sub(r"\b0\.\d{3}\b", "", text).split(), [float(p) for p in re.findall(r"\b0\.\d{3}\b", text)]

    monkeypatch.chdir(ROOT)
    (shown,) = re.findall(r"```text\n(file .*?)```", text_of(ROOT / "docs" / "usage.md"), re.DOTALL)
    printed = here("deepfake_detect", "examples").stdout
    (words, scores), (expected, measured) = words_and_scores(shown), words_and_scores(printed)
    assert words == expected and scores == pytest.approx(measured, abs=0.002)
    assert len(scores) == len(list((ROOT / "examples").glob("*.jpg")))


def test_the_limits_in_the_docs_are_those_of_the_code():
    usage = " ".join(text_of(ROOT / "docs" / "usage.md").split())
    in_words = dict(enumerate(("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")))
    minutes = frame_plan.MAX_SECONDS // 60
    rate, rest = divmod(frames.MAX_DECODED_PIXELS, frame_plan.MAX_SECONDS * 1920 * 1080)
    assert rest == frame_plan.MAX_SECONDS % 60 == frames.MAX_WORK_SECONDS % 60 == 0
    megapixels, of_webp = (most // 10**6 for most in (picture.MAX_PIXELS, picture.MAX_WEBP_PIXELS))
    for said in (
        f"up to {album.MAX_PICTURES} at a time",
        f"at most {frame_plan.MAX_SECONDS} seconds and {video_file.MAX_VIDEO_BYTES >> 20} MB",
        f"up to {frame_plan.MAX_FRAMES} frames",
        f"up to {picture.MAX_BYTES >> 20} MB and {megapixels} megapixels (WebP {of_webp})",
        f"of AVIF {picture.MAX_AVIF_PIXELS // 10**6} megapixels",
        f"the {video.MAX_FACES_PER_FRAME} largest faces of a frame",
        f"fewer than {in_words[video.MIN_SEEN]} frames",
        f"{in_words[frames.MAX_WORK_SECONDS // 60]} minutes' work",
        f"more pixels than {in_words[minutes]} minutes of 1080p at {rate} frames a second",
    ):
        assert said in usage, said
