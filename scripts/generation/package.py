"""Build the generated package in a separate folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .document import check_document, places
from .generator import CONFIG, check_config, json_of, lost_operations, run_generator
from .names import clashes, place_of
from .refusal import SpecError, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTICE = "Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit."
# The user's files must not change the bytes: no configuration, no ignore file, no ruff.py (-P).
RUFF = ["-q", "--isolated", "--no-cache", "--no-respect-gitignore", "--target-version", "py311", "--line-length", "100"]


def build(spec: dict[str, Any], package: Path) -> None:
    """Write the whole package into a folder that does not exist yet.

    Raises:
        SpecError: The generated code would not do what the spec says, or is not valid.
    """
    # Imported late: only now is it certain that the generator is installed.
    from .carried import not_carried_out
    from .reading import read
    from .values import wrong_values

    check_config()
    spec = json.loads(json_of(spec, "spec/openapi.yaml"))  # makes all keys text
    check_document(spec)
    reading = read(spec, CONFIG)
    refuse(not_carried_out(reading))
    run_generator(spec, package)
    refuse(lost_operations(spec, package))
    origins = places(spec) | reading.schemas
    refuse(wrong_values(reading, origins))
    refuse(clashes(package, origins))
    refuse(undefined(package, origins))
    add_notices(package)
    write_openapi_json(spec, package)
    ruff("check", "--select", "I,F401,UP", "--fix-only", package)
    ruff("format", package)
    compile_all(package)


def add_notices(package: Path) -> None:
    for path in package.rglob("*.py"):
        path.write_text(f"# {NOTICE}\n{path.read_text('utf-8')}", "utf-8")
    (package / "py.typed").write_text(f"# {NOTICE}\n", "utf-8")


def write_openapi_json(spec: dict[str, Any], package: Path) -> None:
    text = json_of({"x-generated": NOTICE, **spec}, "spec/openapi.yaml")
    first_line_tells = text.replace(b"{\n  ", b"{ ", 1) + b"\n"
    (package / "openapi.json").write_bytes(first_line_tells)


def undefined(package: Path, origins: dict[str, str]) -> Iterator[str]:
    """Yield names that the generated code uses but does not define."""
    for found in json.loads(ruff("check", "--select", "F821", "--output-format", "json", "--exit-zero", package)):
        yield f"{place_of(Path(found['filename']), origins)}: the generated code breaks: {found['message']}"


def ruff(verb: str, *arguments: str | Path) -> str:
    command = [sys.executable, "-P", "-m", "ruff", verb, *RUFF, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SpecError(f"ruff {verb} failed: {done.stdout}{done.stderr}")
    return done.stdout


def compile_all(package: Path) -> None:
    """Check that Python compiles each module, without writing bytecode into the package."""
    for path in sorted(package.rglob("*.py")):
        try:
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            name = path.relative_to(package).as_posix()
            raise SpecError(f"generated/wavespeed_api/{name} would not compile: {error}") from None
