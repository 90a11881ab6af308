"""Collect the sources of the site in a folder.

Pages keep their text; links between them are changed to their places in the site. The reference has every public name,
read from `__all__` of the packages. Each of the two APIs, the service's and the stand-in's, gets a Swagger UI page.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
from importlib.resources import files
from pathlib import Path
from posixpath import normpath
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
OVERLAY = ROOT / "overlay" / "wavespeed_client"
DOCS = "overlay/docs"

Navigation = dict[str, dict[str, str]]

NAVIGATION: Navigation = {
    "Start": {
        "README.md": "wavespeed-client",
        "quickstart": "Quickstart",
        "models": "Models",
        "settings": "Settings",
        "from-the-official-sdk": "From the official SDK",
    },
    "Tasks and files": {
        "waiting": "Waiting",
        "files": "Files",
        "money": "Money",
        "errors": "Errors, and what is paid",
        "webhooks": "Webhooks",
    },
    "Many tasks": {"batches": "Batches", "many-machines": "Many machines"},
    "Tools": {
        "command-line": "Command line",
        "typed-inputs": "Typed inputs",
        "testing": "Test your app",
        "other-languages": "Other languages",
        "recipes": "Recipes",
    },
    "Project": {
        "change-the-spec": "Change the spec",
        "CONTRIBUTING.md": "Contributing",
        "SECURITY.md": "Security and reliability",
        "scripts/benchmarks/RESULTS.md": "Results of the bench",
        "CHANGELOG.md": "Changelog",
    },
}
"""The pages in order. A name without an ending is a page of overlay/docs."""

APIS = {"api": ("The service's API", "openapi.yaml"), "stand-in": ("The stand-in's API", "stand-in.yaml")}

_LINK = re.compile(r"(?<=\]\()(?P<path>[^()\s#]+)(?P<anchor>#[^()\s]*)?(?=\))")


class LinkError(Exception):
    """A page links to something that is not a page of the site."""


def sections() -> Navigation:
    """Return the pages of each section: path in the repository, and title."""
    return {
        section: {name if name.endswith(".md") else f"{DOCS}/{name}.md": title for name, title in pages.items()}
        for section, pages in NAVIGATION.items()
    }


def places() -> dict[str, str]:
    """Return the place in the site of each page in the repository."""
    paths = [path for pages in sections().values() for path in pages]
    return {path: "index.md" if path == "README.md" else f"{Path(path).stem.lower()}.md" for path in paths}


def with_links(text: str, path: str) -> str:
    """Return a page's text with its links to other pages changed to those of the site, or raise LinkError."""
    known = places()

    def moved(link: re.Match[str]) -> str:
        if "://" in link["path"]:
            return link[0]
        target = normpath(f"{Path(path).parent.as_posix()}/{link['path']}")
        if target not in known:
            raise LinkError(f"{path}: {link['path']} is no page of the site")
        return f"{known[target]}{link['anchor'] or ''}"

    return _LINK.sub(moved, text)


def public_names(package: Path) -> list[str]:
    """Return `__all__` of a package, read without importing it."""
    for statement in ast.parse((package / "__init__.py").read_text("utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return list(ast.literal_eval(statement.value))
    return []


def reference() -> dict[str, tuple[str, list[str]]]:
    """Return the pages of the reference: the title and the described names of each."""
    names = public_names(OVERLAY)
    clients = [name for name in reversed(names) if name.endswith("WaveSpeed")]
    errors = [name for name in names if name.endswith("Error")]
    rest = [name for name in names if name not in (*clients, *errors)]
    pages = {"clients": ("Clients", clients), "data": ("Data", rest), "errors": ("Errors", errors)}
    found = {page: (title, [f"wavespeed_client.{name}" for name in held]) for page, (title, held) in pages.items()}
    for package in sorted(place.parent for place in OVERLAY.glob("*/__init__.py")):
        if held := public_names(package):
            module = f"wavespeed_client.{package.name}"
            found[package.name] = (module, [f"{module}.{name}" for name in held])
    return found


def write_reference(folder: Path) -> None:
    folder.mkdir()
    for page, (title, names) in reference().items():
        (folder / f"{page}.md").write_text("\n\n".join([f"# {title}", *(f"::: {name}" for name in names)]) + "\n")


def write_apis(folder: Path) -> None:
    """Write a Swagger UI page for each API. Pages on the disk may not fetch anything, so the document is a script."""
    swagger = files("mkdocs_swagger_ui_tag") / "swagger-ui"
    assets = folder / "swagger-ui"
    assets.mkdir()
    for name in ("javascripts/swagger-ui-bundle.js", "stylesheets/swagger-ui.css", "LICENSE", "NOTICE"):
        text = (swagger / name).read_text("utf-8")
        (assets / Path(name).name).write_text(re.sub(r"^(//|/\*)# sourceMappingURL=.*$", "", text, flags=re.M), "utf-8")
    page = (HERE / "api.html").read_text("utf-8")
    for name, (title, spec) in APIS.items():
        document: dict[str, Any] = yaml.safe_load((ROOT / "spec" / spec).read_text("utf-8"))
        (assets / f"{name}.js").write_text(f"const spec = {json.dumps(document, default=str)};\n", "utf-8")
        (folder / f"{name}.html").write_text(page.replace("TITLE", title).replace("NAME", name), "utf-8")


def navigation() -> str:
    """Return the line of the configuration that orders the pages."""
    known = places()
    order = {section: {title: known[path] for path, title in pages.items()} for section, pages in sections().items()}
    described = {title: f"reference/{page}.md" for page, (title, _) in reference().items()}
    order["Reference"] = described | {title: f"{name}.html" for name, (title, _) in APIS.items()}
    return f"nav = {listed({section: listed(pages) for section, pages in order.items()}, str)}"


def listed(entries: dict[str, str], quoted: Callable[[str], str] = json.dumps) -> str:
    """Return a list of tables with one key each, in TOML."""
    return f"[{', '.join(f'{{ {json.dumps(key)} = {quoted(value)} }}' for key, value in entries.items())}]"


def gather(folder: Path) -> None:
    """Write the pages and the configuration, or raise LinkError."""
    shutil.rmtree(folder / "docs", ignore_errors=True)
    pages = folder / "docs"
    pages.mkdir(parents=True)
    for path, place in places().items():
        (pages / place).write_text(with_links((ROOT / path).read_text("utf-8"), path), "utf-8")
    write_reference(pages / "reference")
    write_apis(pages)
    shutil.copy2(HERE / "site.css", pages)
    configuration = (HERE / "zensical.toml").read_text("utf-8")
    (folder / "zensical.toml").write_text(
        configuration.replace("[project]\n", f"[project]\n{navigation()}\n", 1), "utf-8"
    )
