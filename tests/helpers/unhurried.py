"""Libraries are as patient as the tests, as long as these run: a busy machine stalls for seconds."""

import httpx
from hypothesis import settings
from waiting import PATIENCE

settings.register_profile("unhurried", deadline=None)  # else an example may take 200 ms
settings.load_profile("unhurried")
for part in ("connect", "read", "write", "pool"):  # else 5 s, of Gradio's client as well
    setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, part, PATIENCE)
