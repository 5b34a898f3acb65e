"""The widths of window that the page is looked at in, and where its parts are."""

import pytest
from playwright.sync_api import Locator
from waiting import wait_until

on_both = pytest.mark.parametrize("first_tab", [(1280, 900), (390, 844)], ids=["desktop", "phone"], indirect=True)


def boxes_at_once(*parts: Locator) -> list[dict[str, float]]:
    """x, y, width and height of each part in CSS pixels, all of one moment: a page that is still being laid
    out moves between two questions."""
    measure, found = "parts => parts.map(part => part.getBoundingClientRect().toJSON())", []

    def all_shown() -> bool:
        found[:] = parts[0].page.evaluate(measure, [part.element_handle() for part in parts])
        return all(box["width"] for box in found)  # one that was drawn anew meanwhile has none

    wait_until(all_shown)
    return found
