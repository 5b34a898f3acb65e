"""The widths of window that the page is looked at in."""

import pytest

on_both = pytest.mark.parametrize("first_tab", [(1280, 900), (390, 844)], ids=["desktop", "phone"], indirect=True)
