"""An OpenAPI document, from a file or from a commit of this repository."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, cast

from attrs import define, field

from environment import ROOT
from generation.document import read_yaml
from generation.refusal import SpecError

Json = dict[str, Any]
SPEC = "spec/openapi.yaml"


@define(eq=False)
class Document:
    name: str
    data: Json
    # Schemas that combine two of the document's own, kept so that each combination has one identity.
    joined: dict[tuple[int, int], Json] = field(factory=dict[tuple[int, int], Json])

    def component(self, kind: str) -> Json:
        return mapping(mapping(self.data.get("components")).get(kind))

    def resolve(self, node: Json, label: str) -> tuple[Json, str]:
        """Return a node and its label. If the node is a reference, return the component and its label."""
        seen: set[str] = set()
        while "$ref" in node:
            reference = str(node["$ref"])
            if reference in seen:
                raise SpecError(f"{self.name}: {reference} refers to itself")
            seen.add(reference)
            node, label = self.at(reference)
        return node, label

    def at(self, reference: str) -> tuple[Json, str]:
        head, _, pointer = reference.partition("#/")
        if head or not pointer:
            raise SpecError(f"{self.name}: {reference} is outside the document, which is not supported")
        found: Any = self.data
        for key in pointer.split("/"):
            name = key.replace("~1", "/").replace("~0", "~")
            listed = sequence(found)[int(name) :][:1] if name.isdigit() else []
            found = listed[0] if listed else mapping(found).get(name)
        if not isinstance(found, dict):
            raise SpecError(f"{self.name}: {reference} refers to nothing")
        return cast("Json", found), pointer.removeprefix("components/")


def mapping(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    # For mypy the items are Any, so that it refuses a cast; for pyright they are unknown, so that it requires one.
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def load(source: str) -> Document:
    """Read the document of a path, or of a git revision such as v0.1.0 or HEAD~1.

    Raises:
        SpecError: There is no such file or revision, or it contains no OpenAPI document.
    """
    path = Path(source)
    if path.is_dir():
        raise SpecError(f"{source} is a folder: name the file")
    if path.exists():
        try:
            return parse(source, path.read_bytes())
        except OSError as error:
            raise SpecError(f"{source} cannot be read: {error.strerror}") from None
    return load_revision(source)


def load_revision(revision: str, root: Path = ROOT) -> Document:
    commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", root=root)
    if commit is None:
        raise SpecError(f"{revision} is neither a file nor a git revision of this repository")
    text = git("cat-file", "blob", f"{commit.decode().strip()}:{SPEC}", root=root)
    if text is None:
        raise SpecError(f"{SPEC} cannot be read at {revision}: it is not in that commit, or the clone is not whole")
    return parse(f"{revision}:{SPEC}", text)


def git(*arguments: str, root: Path = ROOT) -> bytes | None:
    """Return the output of git, or None if it fails."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)  # noqa: S607
    except FileNotFoundError:
        raise SpecError("git is not installed") from None
    return done.stdout if done.returncode == 0 else None


def parse(name: str, text: bytes) -> Document:
    data = read_yaml(text, name)
    version = data.get("openapi")
    if not isinstance(version, str) or not version.startswith("3."):
        raise SpecError(f"{name} is not an OpenAPI document: it does not begin with openapi: 3.x.y")
    if not isinstance(data.get("paths"), dict):
        raise SpecError(f"{name} is not an OpenAPI document that can be compared: it has no paths")
    return Document(name, data)
