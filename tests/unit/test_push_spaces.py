"""Publishing the Space and the page that needs no server, on a local server that speaks the Hub's API."""

from pathlib import Path

import pytest
from commands import here
from hub_repos import Fault
from publishing import SPACE, TAG, build_small, published, repository_files, write, writing_hub

pytestmark = pytest.mark.slow


@pytest.fixture
def builders(monkeypatch) -> list[str]:
    return build_small(repository_files(), monkeypatch)


@pytest.fixture
def server(tmp_path, monkeypatch):
    with writing_hub(tmp_path / "home", monkeypatch) as server:
        yield server


@pytest.fixture
def web_builder(monkeypatch) -> None:
    """A small folder in place of the one that `export.web` builds, which says to what page it links."""
    from export import web

    def build_web(out: Path, server: str) -> Path:
        return write({"index.html": server.encode(), "README.md": b"---\nsdk: static\n---\n"}, out)

    monkeypatch.setattr(web, "build_web", build_web)


def test_the_static_space_is_made_as_one(server, web_builder):
    done = here("export", "push", "--web-repo", "someone/browser")
    assert done.returncode == 0, done.stderr
    repo = server.repos["space", "someone/browser"]
    assert repo.sdk == "static" and repo.tags == {TAG: repo.head}
    assert published(server, "space", "someone/browser").keys() == {"index.html", "README.md"}
    assert published(server, "space", "someone/browser")["index.html"] == b""
    assert f"{server.url}/spaces/someone/browser" in done.stdout


def test_two_spaces_link_to_each_other(server, builders, web_builder):
    words = ("export", "push", "--space-repo", SPACE, "--web-repo", "someone/browser")
    for _ in range(2):  # the second time nothing is sent, and the link stays
        done = here(*words)
        assert done.returncode == 0, done.stderr
        assert server.repos["space", SPACE].variables == {"WEB_PAGE": f"{server.url}/spaces/someone/browser"}
    assert published(server, "space", "someone/browser")["index.html"] == f"{server.url}/spaces/{SPACE}".encode()


def test_a_space_by_itself_links_to_nothing(server, builders):
    assert here("export", "push", "--space-repo", SPACE).returncode == 0
    assert server.repos["space", SPACE].variables == {}


def test_a_link_that_the_hub_refuses_is_told(server, builders, web_builder):
    server.faults.append(Fault("POST", f"/api/spaces/{SPACE}/variables", 403))
    done = here("export", "push", "--space-repo", SPACE, "--web-repo", "someone/browser")
    assert done.returncode == 2 and "may not write" in done.stderr


def test_two_spaces_need_two_names(server):
    done = here("export", "push", "--space-repo", SPACE, "--web-repo", SPACE)
    assert done.returncode == 2 and "two names" in done.stderr and not server.requests
