"""Commands for developers in an environment that lacks their packages, as `make run` makes it."""

import subprocess
import sys

import pytest
from project import ROOT
from waiting import LONG

from train.packages import needed

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("command", "folder"), [("train", ".venv-test"), ("export", ".venv-test"), ("bench", ".venv-bench")]
)
def test_what_is_missing_is_one_sentence_that_says_where_it_is(command, folder):
    lacking = "import runpy, sys; sys.modules['sklearn'] = sys.modules['matplotlib'] = None; " \
              f"sys.argv = ['{command}', '--help']; runpy.run_module('{command}', run_name='__main__')"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", lacking], cwd=ROOT, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 1 and f"python -m {command} needs the package " in done.stderr
    assert folder in done.stderr and "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_module_of_the_project_that_is_missing_is_a_fault():
    with pytest.raises(ModuleNotFoundError), needed("python -m train", "Install it."):
        import train.nowhere  # noqa: F401
