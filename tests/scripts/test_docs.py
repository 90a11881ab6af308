"""scripts/docs: the site has every page and every public name, no broken link, and fetches nothing from elsewhere."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import gather
import offline
from tests.conftest import ROOT
from tests.tools import CHROMIUM

INSTALLED = ROOT / ".venv-docs"
PUBLIC = ["wavespeed_client"] + [f"wavespeed_client.{name}" for name in ("typed", "testing", "distributed")]


def test_every_page_is_in_the_navigation_once() -> None:
    listed = list(gather.places())
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "overlay" / "docs").glob("*.md")}
    assert len(gather.navigation()) == len(set(gather.navigation()))
    assert {path for path in listed if path.startswith("overlay/docs/")} == pages
    assert {"README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"} <= set(listed)
    assert len(set(gather.places().values())) == len(listed)


def test_a_page_of_the_reference_that_the_navigation_lacks_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(gather, "APIS", {**gather.APIS, "third": ("A third API", "third.yaml")})
    with pytest.raises(gather.LinkError, match=r"nav and the reference differ in third\.html"):
        gather.gather(tmp_path)


def test_the_reference_has_every_public_name() -> None:
    packages = [name for name in PUBLIC if (ROOT / "overlay" / Path(*name.split(".")) / "__init__.py").exists()]
    public = [f"{package}.{name}" for package in packages for name in import_module(package).__all__]
    described = [name for _, names in gather.reference().values() for name in names]
    assert sorted(described) == sorted(public)


@pytest.mark.parametrize(
    ("text", "path", "moved"),
    [
        ("[a](overlay/docs/files.md#files-in)", "README.md", "[a](files.md#files-in)"),
        (
            "[a](files.md), [b](../../SECURITY.md#figures)",
            "overlay/docs/money.md",
            "[a](files.md), [b](security.md#figures)",
        ),
        ("[a](../../README.md)", "overlay/docs/money.md", "[a](index.md)"),
        ("[a](https://example.com/README.md) [b](#here)", "README.md", "[a](https://example.com/README.md) [b](#here)"),
    ],
)
def test_links_lead_to_places_in_the_site(text: str, path: str, moved: str) -> None:
    assert gather.with_links(text, path) == moved


@pytest.mark.parametrize("link", ["scripts/check", "nowhere.md", "overlay/docs/nowhere.md#anchor"])
def test_a_link_out_of_the_site_is_refused(link: str) -> None:
    with pytest.raises(gather.LinkError, match=link.partition("#")[0]):
        gather.with_links(f"[a]({link})", "README.md")


@pytest.mark.parametrize(
    ("name", "text", "fetched"),
    [
        ("a.html", '<script src="https://e.com/a.js"></script>', ["https://e.com/a.js"]),
        ("a.html", '<LINK rel=stylesheet href="//e.com/a.css">', ["//e.com/a.css"]),
        ("a.html", '<img srcset="http://e.com/a.png 2x">', ["http://e.com/a.png 2x"]),
        ("a.html", "<style>@import 'https://e.com/a.css';</style>", ["https://e.com/a.css"]),
        ("a.html", '<p style="background: url(https://e.com/a.png)">', ["https://e.com/a.png"]),
        ("a.css", "@font-face { src: url('https://e.com/a.woff2') }", ["https://e.com/a.woff2"]),
        ("a.html", '<a href="https://e.com/">e</a><img src="a.png"><code>src="https://e.com/"</code>', []),
        ("a.css", "a { background: url(a.png) } /* https://e.com/ */", []),
    ],
)
def test_addresses_that_a_file_fetches_are_found(tmp_path: Path, name: str, text: str, fetched: list[str]) -> None:
    (tmp_path / name).write_text(text)
    assert offline.fetched(tmp_path / name) == fetched
    assert offline.fetches(tmp_path) == [f"{name}: fetches {address}" for address in fetched]


# Built


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files that the script reads, with nothing to install."""
    project = tmp_path_factory.mktemp("docs") / "project"
    for name in ("overlay", "generated", "spec", "scripts"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.glob("*.md"):
        shutil.copy2(path, project)
    (project / "scripts" / "install").write_text("#!/bin/sh\n")
    (project / ".venv-docs").symlink_to(INSTALLED)
    return project


def docs(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(project / "scripts" / "docs")], capture_output=True, text=True, check=False)


@pytest.fixture
def page(project: Path) -> Iterator[Path]:
    """A page that is restored after the test."""
    path = project / "overlay" / "docs" / "money.md"
    text = path.read_text("utf-8")
    yield path
    path.write_text(text)


def test_broken_links_and_anchors_fail_the_build(project: Path, page: Path) -> None:
    with page.open("a") as file:
        file.write("\n[one](files.md#nowhere), [two](#nowhere), [three][nowhere.md]\n\n[nowhere.md]: nowhere.md\n")
    done = docs(project)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(re.findall(r"money\.md:\d+", done.stderr)) == 3, done.stderr
    assert done.stderr.endswith("\nscripts/docs: the site was not built\n")


def test_a_link_to_a_file_that_is_no_page_fails_the_build_in_one_line(project: Path, page: Path) -> None:
    with page.open("a") as file:
        file.write("\n[one](../../scripts/check)\n")
    done = docs(project)
    said = "overlay/docs/money.md: ../../scripts/check is no page of the site\nscripts/docs: the site was not built\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def test_a_docstring_that_names_a_wrong_argument_fails_the_build(project: Path) -> None:
    module = project / "overlay" / "wavespeed_client" / "webhooks.py"
    text = module.read_text("utf-8")
    spoilt = re.sub("^( +)body: ", r"\1boddy: ", text, count=1, flags=re.MULTILINE)
    assert spoilt != text
    module.write_text(spoilt)
    done = docs(project)
    module.write_text(text)
    assert done.returncode == 1
    assert "Parameter 'boddy' does not appear in the function signature" in done.stderr


@pytest.fixture(scope="module")
def site(project: Path) -> Path:
    done = docs(project)
    assert done.returncode == 0, done.stdout + done.stderr
    return project / "site"


def test_every_public_name_can_be_linked_to(site: Path) -> None:
    for page, (_, names) in gather.reference().items():
        text = (site / "reference" / f"{page}.html").read_text("utf-8")
        assert [name for name in names if f'id="{name}"' not in text] == []


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_pages_fetch_nothing_from_elsewhere_and_fit_a_telephone(site: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 375, "height": 800})
    urls: list[str] = []
    broken: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.on("pageerror", lambda error: broken.append(str(error)))
    paths = sorted(path for path in site.rglob("*.html") if path.name != "404.html")
    wide: list[str] = []
    for path in paths:
        page.goto(path.as_uri())
        if path.stem in gather.APIS:
            page.wait_for_selector(".opblock")
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(path.name)
    assert len(paths) == len(gather.places()) + len(gather.reference()) + len(gather.APIS)
    assert [url for url in urls if not url.startswith((site.as_uri(), "data:"))] == []
    assert (broken, wide) == ([], [])
