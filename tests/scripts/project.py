"""A copy of the project, and scripts/regenerate.py run on it as a person runs it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

Spec = dict[str, Any]
Entries = dict[str, bytes | None]


def copy(name: str, project: Path) -> None:
    if (ROOT / name).is_dir():
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__", ".wavespeed_api.*"))
    else:
        shutil.copy2(ROOT / name, project / name)


def regenerate(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(project / "scripts" / "regenerate.py"), *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


def entries(folder: Path) -> Entries:
    """Every file under a folder with its bytes, and every folder with None."""
    paths = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in paths}


def stamps(folder: Path) -> dict[Path, int]:
    paths = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return {path: path.stat().st_mtime_ns for path in paths if path.is_file()}


def write_spec(project: Path, spec: Spec) -> None:
    """As JSON, which is YAML too."""
    (project / "spec" / "openapi.yaml").write_text(json.dumps(spec, ensure_ascii=False, indent=1), "utf-8")


def copy_of(spec: Spec) -> Spec:
    return json.loads(json.dumps(spec))


def text(found: Entries, name: str) -> str:
    return (found[f"wavespeed_api/{name}"] or b"").decode()


def assert_refused(project: Path, done: subprocess.CompletedProcess[str], said: str) -> None:
    """One line, exit code 2, and the package untouched with nothing left beside it."""
    (line,) = done.stderr.splitlines()
    assert line.startswith("regenerate.py: ")
    assert said in line
    assert (done.returncode, done.stdout) == (2, "")
    assert entries(project / "generated") == entries(ROOT / "generated")
