"""Collect the sources of the site in a folder.

Pages keep their text; links between them are changed to their places in the site. The reference has every public name,
read from `__all__` of the packages. Each of the two APIs, the service's and the stand-in's, gets a Swagger UI page.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import tomllib
from importlib.resources import files
from pathlib import Path
from posixpath import normpath
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
OVERLAY = ROOT / "overlay" / "wavespeed_client"
DOCS = "overlay/docs"

# The pages of the site that are not in overlay/docs.
ELSEWHERE = {
    "index.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
    "results.md": "scripts/benchmarks/RESULTS.md",
    "changelog.md": "CHANGELOG.md",
}
APIS = {"api": ("The service's API", "openapi.yaml"), "stand-in": ("The stand-in's API", "stand-in.yaml")}

_LINK = re.compile(r"(?<=\]\()(?P<path>[^()\s#]+)(?P<anchor>#[^()\s]*)?(?=\))")


class LinkError(Exception):
    """A page links to something that is not a page of the site."""


def navigation() -> list[str]:
    """Return the places in the site of all pages, in the order of the configuration."""
    sections = tomllib.loads((HERE / "zensical.toml").read_text("utf-8"))["project"]["nav"]
    entries = [each for section in sections for entries in section.values() for each in entries]
    return [place for each in entries for place in ([each] if isinstance(each, str) else each.values())]


def places() -> dict[str, str]:
    """Return the place in the site of each page in the repository."""
    pages = [place for place in navigation() if place.endswith(".md") and "/" not in place]
    return {ELSEWHERE.get(place, f"{DOCS}/{place}"): place for place in pages}


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


def gather(folder: Path) -> None:
    """Write the pages and the configuration, or raise LinkError."""
    described = [f"reference/{page}.md" for page in reference()] + [f"{name}.html" for name in APIS]
    if lost := set(described) ^ (set(navigation()) - set(places().values())):
        raise LinkError(f"scripts/docs.d/zensical.toml: nav and the reference differ in {', '.join(sorted(lost))}")
    shutil.rmtree(folder / "docs", ignore_errors=True)
    pages = folder / "docs"
    pages.mkdir(parents=True)
    for path, place in places().items():
        (pages / place).write_text(with_links((ROOT / path).read_text("utf-8"), path), "utf-8")
    write_reference(pages / "reference")
    write_apis(pages)
    shutil.copy2(HERE / "site.css", pages)
    shutil.copy2(HERE / "zensical.toml", folder)
