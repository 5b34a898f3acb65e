"""Libraries are as patient as the tests, as long as these run: a busy machine stalls for seconds."""

from pathlib import Path

import httpx
from hypothesis import settings
from waiting import PATIENCE

settings.register_profile("unhurried", deadline=None)  # else an example may take 200 ms
settings.load_profile("unhurried")
PARTS = ("connect", "read", "write", "pool")  # of httpx's patience, else 5 s each, of Gradio's client as well
for part in PARTS:
    setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, part, PATIENCE)


def unhurried(folder: Path) -> dict[str, str]:
    """The variables by which another program of Python waits for ever; a folder for the module that makes it so."""
    modules = folder / "unhurried"
    modules.mkdir(exist_ok=True)
    limits = "\n".join(f"httpx._config.DEFAULT_TIMEOUT_CONFIG.{part} = None" for part in PARTS)
    (modules / "sitecustomize.py").write_text(f"import httpx\n{limits}\n")
    return {"PYTHONPATH": str(modules)}
