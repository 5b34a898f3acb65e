"""Pictures of the page, made by `make screenshots`: opened in Chromium on the examples, at desktop and phone width,
light and dark, and written as PNG files into a folder."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from conftest import ROOT
from playwright.sync_api import Page, sync_playwright
from servers import free_port, wait_for

from detect.files import whole_file

WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
EXAMPLES = ("real_eileen_collins", "fake_swap", "group_portraits")


def photograph(page: Page, file: Path) -> None:
    page.set_input_files("#photo input[type=file]", file)
    page.locator("#evidence").wait_for()
    page.wait_for_timeout(1500)  # pictures and charts fade in


def main(folder: Path) -> int:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        print("Chromium is not installed.", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with tempfile.TemporaryDirectory() as uploads, sync_playwright() as playwright:
        own = {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": uploads}
        log = Path(uploads, "log.txt")
        with log.open("w") as output:
            server = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=os.environ | own, stdout=output, stderr=output
            )
        try:
            wait_for(f"http://127.0.0.1:{port}/", server, log)
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            for device, (width, height) in WIDTHS.items():
                for theme in ("light", "dark"):
                    page = browser.new_page(viewport={"width": width, "height": height})
                    for name in EXAMPLES:
                        page.goto(f"http://127.0.0.1:{port}/?__theme={theme}")
                        page.wait_for_selector("#photo input[type=file]", state="attached")
                        photograph(page, ROOT / "examples" / f"{name}.jpg")
                        with whole_file(folder / f"{name}_{device}_{theme}.png") as partial:
                            page.screenshot(path=partial, full_page=True)
                    page.close()
            browser.close()
        finally:
            server.terminate()
            server.wait(20)
    print(*sorted(folder.glob("*.png")), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
