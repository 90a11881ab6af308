"""The pinned generator, called so that it leaves nothing out without a word."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import runpy
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .document import operations, read_yaml
from .refusal import RegenerationError, pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIG = ROOT / "spec" / "generator.yaml"
TEMPLATES = ROOT / "spec" / "templates"

# Lines of the generator's report that say nothing about this run.
CHATTER = ("Generating ", "Error(s) encountered", "Warning(s) encountered", "If you believe", "For further")


def check_versions() -> None:
    """Hold what is installed against the pins: the bytes that come out depend on the generator and on ruff."""
    try:
        pins = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]["codegen"]
    except (KeyError, ValueError) as error:
        raise RegenerationError(f"pyproject.toml has no readable group codegen with the pins: {error!r}") from None
    for pin in pins:
        name, _, wanted = pin.partition("==")
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            installed = "no version"
        if installed != wanted:
            raise RegenerationError(f"{name} {wanted} is needed, {installed} is installed: run scripts/install")


def check_config() -> None:
    """Refuse keys that the generator does not know: it ignores them, a misspelt one too."""
    from openapi_python_client.config import ConfigFile

    unknown = sorted(map(str, read_yaml(CONFIG, "spec/generator.yaml").keys() - ConfigFile.model_fields.keys()))
    if unknown:
        names = ", ".join(unknown)
        raise RegenerationError(f"spec/generator.yaml has options that the generator does not know: {names}")


def run_generator(spec: dict[str, Any], package: Path, name: str = "spec/openapi.yaml") -> None:
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "openapi.json"  # read a hundred times as fast as YAML
        document.write_bytes(json_of(spec, name))
        call_generator(document, package, name)


def json_of(spec: dict[str, Any], name: str) -> bytes:
    try:
        return json.dumps(spec, indent=2, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise RegenerationError(f"{name} holds what JSON cannot ({error}): quote dates, write no NaN") from None


def call_generator(document: Path, package: Path, name: str) -> None:
    """Call the generator's command line, its only versioned surface, in this process: a new one takes twice as long."""
    command = ["openapi-python-client", "generate", "--fail-on-warning", "--meta", "none"]
    command += ["--path", str(document), "--config", str(CONFIG), "--output-path", str(package)]
    command += ["--custom-template-path", str(TEMPLATES)]
    said, own_arguments = io.StringIO(), sys.argv
    sys.argv = command
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            runpy.run_module("openapi_python_client", run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise RegenerationError(f"the generator refuses {name}: {gist(said.getvalue())}") from None
    except Exception as error:
        raise RegenerationError(f"the generator broke on {name}: {error!r}") from error
    finally:
        sys.argv = own_arguments


def gist(report: str) -> str:
    lines = [line.strip() for line in report.splitlines()]
    return "; ".join(line for line in lines if line and not line.startswith(CHATTER))[:1000]


def lost_operations(spec: dict[str, Any], package: Path) -> Iterator[str]:
    """Yield what the generator drops without a word, as where two operations share an operationId."""
    for path, item in spec["paths"].items():
        if "$ref" in item:
            yield f"{pointer('paths', path)}: a $ref, which the generator leaves out: write it in place"
    seen: set[str] = set()
    for path, method, operation in operations(spec):
        place, name = pointer("paths", path, method), operation.get("operationId")
        module = f"api/{(operation.get('tags') or ['default'])[0]}/{name}.py"
        if name is None:
            yield f"{place}: {method.upper()} {path} has no operationId"
        elif name in seen:
            yield f"{place}: operationId used more than once: {name}"
        elif not (package / module).is_file():
            yield (
                f"{place}: there is no module {module} in the generated code; write the operationId and the first tag "
                "in snake_case, and no keyword of Python's"
            )
        seen.add(str(name))
