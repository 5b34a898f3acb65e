"""An environment with some of the packages of this one, made within seconds and without a network."""

import sysconfig
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def asked_for(requirements: list[Requirement]) -> dict[str, Distribution]:
    """The installed packages, by name, that pip installs for requirements: those, and what they ask for in turn. Raises
    PackageNotFoundError for one that is not installed here."""
    found: dict[str, Distribution] = {}
    left, seen = [(requirement, "") for requirement in requirements], set()
    while left:
        requirement, extra = left.pop()
        key = canonicalize_name(requirement.name), *sorted(requirement.extras)
        if key in seen or (requirement.marker and not requirement.marker.evaluate({"extra": extra})):
            continue
        seen.add(key)
        package = distribution(requirement.name)
        assert requirement.specifier.contains(package.version, prereleases=True), requirement
        found[key[0]] = package
        own = [Requirement(line) for line in package.requires or ()]
        left += [(each, extra) for each in own for extra in ("", *requirement.extras)]
    return found


def environment_of(file: Path, folder: Path) -> Path:
    """A virtual environment in a folder, with what a requirements.txt asks for of the versions that are installed here,
    as links to their files. Returns its interpreter."""
    lines = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    packages = asked_for([Requirement(line) for line in lines if line])
    venv.create(folder)
    (there,) = folder.glob("lib/python*/site-packages")
    here = Path(sysconfig.get_path("purelib"))
    for package in packages.values():
        for name in package.files or ():
            if ".." not in name.parts:  # a program of the package's
                (there / name).parent.mkdir(parents=True, exist_ok=True)
                (there / name).symlink_to(here / name)
    return folder / "bin" / "python"
