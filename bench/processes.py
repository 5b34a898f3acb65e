"""Processes that come from another, as Linux tells."""

from pathlib import Path


def processes_below(pid: int) -> dict[int, str]:
    """The command of each process that comes from one, by its number."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(folder.name)] = command_of(int(folder.name))
        except OSError:
            continue  # ended meanwhile
    below, found = {pid}, {}
    while new := {child for child, parent in parents.items() if parent in below} - below:
        below |= new
        found |= {child: names[child] for child in new}
    return found


def command_of(pid: int) -> str:
    """Its words; "" where there is no such process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def memory_of(pids: list[int]) -> float:
    """MB that processes have in memory together; what they share counts once."""
    used = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        used += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return used / 1024
