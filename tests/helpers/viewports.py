"""The widths of window that the page is looked at in, and where its parts are."""

import pytest
from playwright.sync_api import Locator

on_both = pytest.mark.parametrize("first_tab", [(1280, 900), (390, 844)], ids=["desktop", "phone"], indirect=True)


def boxes_at_once(*parts: Locator) -> list[dict[str, float]]:
    """x, y, width and height of each part in CSS pixels, all of one moment: a page that is still being laid
    out moves between two questions."""
    measure = "parts => parts.map(part => part.getBoundingClientRect().toJSON())"
    boxes = parts[0].page.evaluate(measure, [part.element_handle() for part in parts])
    assert all(box["width"] for box in boxes), "a part is not shown, or no more"
    return boxes
