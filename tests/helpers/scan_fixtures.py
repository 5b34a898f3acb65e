"""Fixtures of the tests of scans. A plugin of pytest, which tests/conftest.py loads."""

from functools import partial
from pathlib import Path

import pytest
from made_once import made_once


@pytest.fixture(scope="session")
def four(small, tmp_path_factory) -> Path:
    """A folder with four pictures, whose labels are `scans.IN_TURNS`; not to be changed."""
    from scans import fill  # which loads pyarrow

    return made_once(tmp_path_factory, "four", lambda folder: fill(folder, 4, small))


@pytest.fixture
def mixed_album(small, tmp_path) -> Path:
    """A folder of pictures, one of them broken, and other files: see `scans.write_mixed`."""
    from scans import write_mixed

    return write_mixed(tmp_path / "album", small)


@pytest.fixture
def judged_by_colour(model, tmp_path):
    """Scans sources with the model that judges by colour: the label, or the error, by path."""
    from scans import labels

    return partial(labels, model, tmp_path / "out.parquet")
