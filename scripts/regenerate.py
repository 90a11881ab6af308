#!/usr/bin/env python3
"""Regenerate generated/wavespeed_api from spec/openapi.yaml.

    scripts/regenerate.py            write the package anew
    scripts/regenerate.py --check    write nothing; print what differs and exit 1 on drift

The package is built whole in a folder beside its place and put there by two renames, so that an
error or a kill at any step leaves a whole package behind. Exit code 2 means that nothing changed.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import fcntl
import importlib.metadata
import importlib.util
import io
import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec" / "openapi.yaml"
GENERATOR_CONFIG = ROOT / "spec" / "generator.yaml"
TEMPLATES = ROOT / "spec" / "templates"
README = ROOT / "README.md"
TARGET = ROOT / "generated" / "wavespeed_api"
NEW = TARGET.with_name(".wavespeed_api.new")
OLD = TARGET.with_name(".wavespeed_api.old")

NOTICE = "Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit."
# Nothing that lies around may change the bytes: no configuration, no ignore file, no ruff.py (-P).
RUFF = ["-q", "--isolated", "--no-cache", "--no-respect-gitignore", "--target-version", "py311", "--line-length", "100"]
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# Lines of the generator's report that say nothing about this run.
CHATTER = ("Generating ", "Error(s) encountered", "Warning(s) encountered", "If you believe", "For further")


class RegenerationError(Exception):
    """Nothing was written; the message says why in one line."""


def main() -> int:
    arguments = read_arguments()
    if importlib.util.find_spec("openapi_python_client") is None:
        continue_in_own_environment()
    try:
        check_versions()
        if arguments.check:
            return report_drift()
        with alone():
            recover()
            try:
                spec = read_yaml(SPEC)
                build(spec, NEW)
                readme = with_operations_table(README.read_text("utf-8"), spec)
                swap()
            finally:
                shutil.rmtree(NEW, ignore_errors=True)
            if README.read_text("utf-8") != readme:
                README.write_text(readme, "utf-8")
    except (RegenerationError, OSError) as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return fail("interrupted")
    return 0


class OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.exit(fail(f"{message}; see --help"))


def read_arguments() -> argparse.Namespace:
    parser = OneLineParser(description="Regenerate generated/wavespeed_api from spec/openapi.yaml.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the package differs")
    return parser.parse_args()


def fail(message: str) -> int:
    print(f"regenerate.py: {' '.join(message.split())}", file=sys.stderr)
    return 2


def continue_in_own_environment() -> NoReturn:
    """Start again in .venv, which holds the pinned generator."""
    python = ROOT / ".venv" / "bin" / "python"
    installed = subprocess.run([ROOT / "scripts" / "install"], check=False)
    if installed.returncode or Path(sys.prefix) == ROOT / ".venv":
        sys.exit(fail("the generator could not be installed; see the output of scripts/install"))
    os.execv(python, [str(python), *sys.argv])


def check_versions() -> None:
    """The bytes that come out depend on the generator and on ruff, so both are pinned exactly."""
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


# Building


def build(spec: dict[str, Any], package: Path) -> None:
    """Write the whole package into a folder that does not exist yet."""
    check_generator_config()
    run_generator(spec, package)
    check_operations(spec, package)
    add_notices(package)
    write_openapi_json(spec, package)
    ruff("check", "--select", "I,F401,UP", "--fix-only", package)
    ruff("format", package)


def read_yaml(path: Path) -> dict[str, Any]:
    # Imported late: it comes with the generator, which check_versions has found by now.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        loader: Any = YAML(typ="safe")
        document: object = loader.load(path)
    except FileNotFoundError:
        raise RegenerationError(f"{path.relative_to(ROOT)} is missing") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise RegenerationError(f"{path.relative_to(ROOT)} is not valid YAML: {error}") from None
    if not isinstance(document, dict):
        raise RegenerationError(f"{path.relative_to(ROOT)} does not hold a mapping")
    return cast("dict[str, Any]", document)


def check_generator_config() -> None:
    """The generator ignores keys that it does not know, a misspelt one too."""
    from openapi_python_client.config import ConfigFile

    unknown = sorted(map(str, read_yaml(GENERATOR_CONFIG).keys() - ConfigFile.model_fields.keys()))
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
    except (TypeError, ValueError) as error:
        raise RegenerationError(f"{name} holds what JSON cannot ({error}): quote dates, write no NaN") from None


def call_generator(document: Path, package: Path, name: str) -> None:
    """Call the generator's command line, its only versioned surface, in this process: a new one takes twice as long."""
    command = ["openapi-python-client", "generate", "--fail-on-warning", "--meta", "none"]
    command += ["--path", str(document), "--config", str(GENERATOR_CONFIG), "--output-path", str(package)]
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


def operations(spec: dict[str, Any]) -> Iterator[str]:
    for path, item in spec["paths"].items():
        if "$ref" in item:
            raise RegenerationError(f"{path} is a $ref, which the generator leaves out: write it in place")
        for method in METHODS:
            if method in item:
                if "operationId" not in item[method]:
                    raise RegenerationError(f"{method.upper()} {path} has no operationId")
                yield item[method]["operationId"]


def check_operations(spec: dict[str, Any], package: Path) -> None:
    """The generator drops an operation without a word when two share an operationId."""
    wanted = Counter(operations(spec))
    made = Counter(path.stem for path in package.glob("api/*/*.py") if path.name != "__init__.py")
    repeated = sorted(name for name, count in wanted.items() if count > 1)
    if repeated:
        raise RegenerationError(f"operationId used more than once: {', '.join(repeated)}")
    if wanted != made:
        missing, extra = sorted(wanted - made), sorted(made - wanted)
        raise RegenerationError(
            "operations and endpoint modules differ (write operationIds in snake_case): "
            f"without a module {missing}, without an operation {extra}"
        )


def add_notices(package: Path) -> None:
    for path in package.rglob("*.py"):
        path.write_text(f"# {NOTICE}\n{path.read_text('utf-8')}", "utf-8")
    (package / "py.typed").write_text(f"# {NOTICE}\n", "utf-8")


def write_openapi_json(spec: dict[str, Any], package: Path) -> None:
    text = json_of({"x-generated": NOTICE, **spec}, "spec/openapi.yaml")
    first_line_tells = text.replace(b"{\n  ", b"{ ", 1) + b"\n"
    (package / "openapi.json").write_bytes(first_line_tells)


def ruff(verb: str, *arguments: str | Path) -> None:
    command = [sys.executable, "-P", "-m", "ruff", verb, *RUFF, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RegenerationError(f"ruff {verb} failed: {done.stdout}{done.stderr}")


# Putting it in place


@contextlib.contextmanager
def alone() -> Generator[None]:
    """Keep other runs out: they would take each other's folders for leftovers."""
    TARGET.parent.mkdir(exist_ok=True)
    folder = os.open(TARGET.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise RegenerationError("another run is under way") from None
    finally:
        os.close(folder)


def recover() -> None:
    """Finish what a killed run left: put a lone old package back, remove leftovers."""
    if OLD.exists() and not TARGET.exists():
        OLD.rename(TARGET)
    for leftover in (OLD, NEW):
        if leftover.exists():
            shutil.rmtree(leftover)


def swap() -> None:
    try:
        if TARGET.exists():
            TARGET.rename(OLD)
        NEW.rename(TARGET)
    except OSError:
        if OLD.exists() and not TARGET.exists():
            OLD.rename(TARGET)
        raise
    shutil.rmtree(OLD, ignore_errors=True)


# The table of operations in the README

TABLE_BEGIN, TABLE_END = "<!-- operations: written by scripts/regenerate.py -->", "<!-- end of operations -->"


def with_operations_table(readme: str, spec: dict[str, Any]) -> str:
    """The README with its table of operations as the spec gives it."""
    before, begin, rest = readme.partition(TABLE_BEGIN)
    _, end, after = rest.partition(TABLE_END)
    if not begin or not end:
        raise RegenerationError(f"README.md has no place for the table of operations: {TABLE_BEGIN} ... {TABLE_END}")
    rows = ["| operation | generated function | verb |", "| --- | --- | --- |", *operation_rows(spec)]
    return "\n".join([f"{before}{begin}", "", *rows, "", f"{end}{after}"])


def operation_rows(spec: dict[str, Any]) -> Iterator[str]:
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                verb = f"`{operation['x-verb']}`" if "x-verb" in operation else "by `ws.api`"
                function = f"wavespeed_api.api.{operation['tags'][0]}.{operation['operationId']}"
                yield f"| {method.upper()} `{path}` | `{function}` | {verb} |"


# Comparing


def report_drift() -> int:
    """Print what regenerating would change; 1 if it would change anything."""
    spec = read_yaml(SPEC)
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / TARGET.name
        build(spec, package)
        report = list(differences(files(package), files(TARGET)))
    readme = README.read_text("utf-8")
    if readme != with_operations_table(readme, spec):
        report.append("differs: README.md, the table of operations")
    print("\n".join(report) if report else "generated/wavespeed_api is what spec/openapi.yaml gives")
    return 1 if report else 0


def files(package: Path) -> dict[str, bytes]:
    paths = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(package).as_posix(): path.read_bytes() for path in paths}


def differences(wanted: dict[str, bytes], found: dict[str, bytes]) -> Iterator[str]:
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            yield f"missing: generated/wavespeed_api/{name}"
        elif name not in wanted:
            yield f"stray: generated/wavespeed_api/{name}"
        elif found[name] != wanted[name]:
            old = found[name].decode("utf-8", "replace").splitlines()
            new = wanted[name].decode("utf-8", "replace").splitlines()
            yield f"differs: generated/wavespeed_api/{name}"
            yield from difflib.unified_diff(old, new, "committed", "from the spec", lineterm="")


if __name__ == "__main__":
    sys.exit(main())
