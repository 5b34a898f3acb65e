"""Processes that come from another."""

import psutil


def processes_below(pid: int) -> dict[int, str]:
    """The command of each process that comes from one, by its number."""
    return {process.pid: command_of(process.pid) for process in psutil.Process(pid).children(recursive=True)}


def command_of(pid: int) -> str:
    """Its words; "" where there is no such process."""
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return ""
