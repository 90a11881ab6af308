"""What the tests of scripts/regenerate.py share."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.scripts.project import Entries, copy, entries


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the script reads and writes."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("pyproject.toml", "README.md", "spec", "scripts", "generated"):
        copy(name, project)
    return project


@pytest.fixture(scope="session")
def committed() -> Entries:
    """What generated/ holds: the package, and nothing beside it."""
    return entries(ROOT / "generated")
