"""scripts/languages: the spec in other languages, if npm is installed."""

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "scripts" / "languages.d"
INSTALLED = ROOT / ".languages"


def test_the_lock_pins_every_package_and_names_no_registry() -> None:
    lock = json.loads((FOLDER / "package-lock.json").read_text("utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 100
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert package["integrity"].startswith("sha512-"), name
    wanted = json.loads((FOLDER / "package.json").read_text("utf-8"))["dependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The script in an empty folder, with nothing to install."""
    project = tmp_path / "project"
    shutil.copytree(FOLDER, project / "scripts" / "languages.d")
    shutil.copy2(ROOT / "scripts" / "languages", project / "scripts")
    (project / "scripts" / "install").write_text("#!/bin/sh\n")
    (project / "scripts" / "install").chmod(0o755)
    shutil.copytree(ROOT / "spec", project / "spec")
    return project


def languages(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(project / "scripts" / "languages")]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


def test_without_npm_one_line_says_what_was_left_out(project: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "dirname", "env", "sh"):
        (programs / name).symlink_to(shutil.which(name) or "")
    done = languages(project, PATH=str(programs))
    said = "scripts/languages: npm is not installed, so these are skipped: two TypeScript programs, redocly, spectral\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


@pytest.mark.skipif(not (INSTALLED / "made-from").exists(), reason="scripts/languages has installed nothing")
def test_errors_that_are_no_objects_are_found(project: Path, spec: dict[str, Any]) -> None:
    (project / ".venv").symlink_to(ROOT / ".venv")
    (project / ".languages").mkdir()
    shutil.copy2(INSTALLED / "made-from", project / ".languages")
    (project / ".languages" / "node_modules").symlink_to(INSTALLED / "node_modules")
    spoilt = copy.deepcopy(spec)
    for response in spoilt["components"]["responses"].values():
        if response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ErrorEnvelope"}:
            response["content"]["text/html"] = {"schema": {"type": "string"}}
    (project / "spec" / "openapi.yaml").write_text(json.dumps(spoilt), "utf-8")

    done = languages(project)

    assert done.returncode == 1
    assert "error TS" in done.stderr
    assert done.stderr.endswith("scripts/languages: tsc finds fault with spec/openapi.yaml\n")
