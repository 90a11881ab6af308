"""Copies of the project, its wheel, and clean environments with the wheel."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
from filelock import FileLock

from tests.conftest import ROOT
from tests.scripts.clean import Environments, run
from tests.scripts.project import Entries, copy, entries


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the script reads and writes."""
    project = tmp_path / "project"
    (project / "overlay").mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "spec", "scripts", "generated", "overlay/docs"):
        copy(name, project)
    return project


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run, which the processes of pytest-xdist share."""
    own = tmp_path_factory.getbasetemp()
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    (folder / "shared").mkdir(exist_ok=True)
    return folder / "shared"


@pytest.fixture(scope="session")
def wheel(shared: Path) -> Path:
    folder = shared / "wheel"
    with FileLock(shared / "wheel.lock"):
        if not folder.exists():
            run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="session")
def clean(wheel: Path, shared: Path) -> Environments:
    return Environments(shared, wheel)


@pytest.fixture(scope="session")
def committed() -> Entries:
    """The entries of generated/: the package, and nothing beside it."""
    return entries(ROOT / "generated")


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once() -> Iterator[None]:
    """The generator compiles its templates at each run, which takes most of its time."""
    compile_anew = jinja2.Environment.compile
    compiled: dict[object, Any] = {}

    def compile_once(self: jinja2.Environment, *arguments: Any) -> Any:
        if arguments not in compiled:
            compiled[arguments] = compile_anew(self, *arguments)
        return compiled[arguments]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compile_once)
        yield
