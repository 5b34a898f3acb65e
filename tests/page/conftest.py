"""Files that the tests of many photographs share."""

from pathlib import Path

import pytest
from albums import heavy_files, mixed_files


@pytest.fixture
def mixed(tmp_path) -> list[Path]:
    """See `mixed_files`."""
    return mixed_files(tmp_path)


@pytest.fixture(scope="module")
def heavy(tmp_path_factory) -> list[Path]:
    """See `heavy_files`; not to be changed."""
    return heavy_files(tmp_path_factory.mktemp("heavy"))
