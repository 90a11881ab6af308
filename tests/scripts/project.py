"""A copy of the project, and its scripts/regenerate.py, run in a separate process or in this one."""

import contextlib
import io
import json
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.conftest import ROOT

Spec = dict[str, Any]
Entries = dict[str, bytes | None]


def copy(name: str, project: Path) -> None:
    if (ROOT / name).is_dir():
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__", ".wavespeed_api.*"))
    else:
        shutil.copy2(ROOT / name, project / name)


def start_regenerate(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script as a person runs it."""
    command = [sys.executable, str(project / "scripts" / "regenerate.py"), *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


def regenerate(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script of the copy in this process, where the generator is imported and its templates are compiled."""
    command = [str(project / "scripts" / "regenerate.py"), *arguments]
    stdout, stderr, code = io.StringIO(), io.StringIO(), None
    with modules_of(project), contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        own_arguments, sys.argv = sys.argv, command
        try:
            runpy.run_path(command[0], run_name="__main__")
        except SystemExit as end:
            code = end.code
        finally:
            sys.argv = own_arguments
    assert isinstance(code, int), "the script ends with an exit code"
    return subprocess.CompletedProcess(command, code, stdout.getvalue(), stderr.getvalue())


@contextlib.contextmanager
def modules_of(project: Path) -> Iterator[None]:
    """Import what the scripts share from the copy, not from the project."""
    kept = taken_out()
    sys.path.insert(0, str(project / "scripts"))
    try:
        yield
    finally:
        sys.path.remove(str(project / "scripts"))
        taken_out()
        sys.modules.update(kept)


def taken_out() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.partition(".")[0] in ("environment", "generation")]
    return {name: sys.modules.pop(name) for name in names}


def entries(folder: Path) -> Entries:
    """Return every file under a folder with its bytes, and every folder with None."""
    paths = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in paths}


def stamps(folder: Path) -> dict[Path, int]:
    paths = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return {path: path.stat().st_mtime_ns for path in paths if path.is_file()}


def write_spec(project: Path, spec: Spec) -> None:
    """Write a spec as JSON, which is YAML too."""
    (project / "spec" / "openapi.yaml").write_text(json.dumps(spec, ensure_ascii=False, indent=1), "utf-8")


def copy_of(spec: Spec) -> Spec:
    return json.loads(json.dumps(spec))


def text(found: Entries, name: str) -> str:
    return (found[f"wavespeed_api/{name}"] or b"").decode()


def assert_refused(project: Path, done: subprocess.CompletedProcess[str], said: str) -> None:
    """Check for one line, exit code 2, and the package untouched with nothing left beside it."""
    (line,) = done.stderr.splitlines()
    assert line.startswith("regenerate.py: ")
    assert said in line
    assert (done.returncode, done.stdout) == (2, "")
    assert entries(project / "generated") == entries(ROOT / "generated")
