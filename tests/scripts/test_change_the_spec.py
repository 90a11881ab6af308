"""The page "Change the spec": its transcript is what the programs say."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.scripts.blocks import blocks


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A copy of the project that has released 0.1.0 and is about to change."""
    project = tmp_path / "project"
    for name in ("spec", "scripts", "generated", "overlay"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "pyproject.toml"):
        shutil.copy2(ROOT / name, project)
    write_release(project, "0.1.0", "")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Release 0.1.0"], ["tag", "v0.1.0"]):
        names = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *names, *command], cwd=project, check=True)
    return project


def write_release(project: Path, version: str, unreleased: str) -> None:
    released = "## [0.1.0] - 2026-01-01\n\n### Added\n\n- The start.\n"
    (project / "CHANGELOG.md").write_text(f"# Changelog\n\n## [Unreleased]\n\n{unreleased}{released}")
    (project / "overlay" / "wavespeed_client" / "_version.py").write_text(f'__version__ = "{version}"\n')


def test_the_transcript_of_a_change_is_what_the_programs_say(released: Path) -> None:
    (edit,) = blocks("diff", "change-the-spec")
    old, new = (line[1:] for line in edit.text.splitlines())
    spec = released / "spec" / "openapi.yaml"
    text = spec.read_text("utf-8")
    assert text.count(f"{old}\n") == 1
    spec.write_text(text.replace(f"{old}\n", f"{new}\n"), "utf-8")
    diff, refused, accepted = (block.text for block in blocks("console", "change-the-spec"))

    assert transcript(released, "scripts/spec_diff.py", "HEAD", "spec/openapi.yaml") == diff
    subprocess.run([sys.executable, "scripts/regenerate.py"], cwd=released, check=True)
    assert transcript(released, "scripts/release_check.py") == refused
    write_release(released, "0.2.0", "### Breaking\n\n- `upload_binary` is `upload_form` now.\n\n")
    assert transcript(released, "scripts/release_check.py") == accepted


def transcript(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return f"$ {' '.join(command)}\n{done.stdout}"
