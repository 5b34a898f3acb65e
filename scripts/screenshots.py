"""Pictures of the page, made by `make screenshots`: opened in Chromium on the examples, at desktop and phone width,
light and dark, and written as PNG files into a folder."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench.serving import ROOT, served
from deepfake_detect.atomic_files import atomic_write

WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
EXAMPLES = ("real_eileen_collins", "fake_swap", "group_portraits")


def photograph(page: Page, file: Path) -> None:
    page.set_input_files("#photo input[type=file]", file)
    page.locator("#card article").wait_for()
    page.wait_for_timeout(1500)  # pictures and charts fade in


def main(folder: Path) -> int:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        print("Chromium is not installed.", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    with served() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for device, (width, height) in WIDTHS.items():
            for theme in ("light", "dark"):
                page = browser.new_page(viewport={"width": width, "height": height})
                for name in EXAMPLES:
                    page.goto(f"{server.url}?__theme={theme}")
                    page.wait_for_selector("#photo input[type=file]", state="attached")
                    photograph(page, ROOT / "examples" / f"{name}.jpg")
                    with atomic_write(folder / f"{name}_{device}_{theme}.png") as partial:
                        page.screenshot(path=partial, full_page=True)
                page.close()
        browser.close()
    print(*sorted(folder.glob("*.png")), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
