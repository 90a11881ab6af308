"""scripts/install: its steps, with a Python and a uv that only record their calls."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

LOCK = r"""one==1.0 \
    --hash=sha256:11
uv==0.9 \
    --hash=sha256:22 \
    --hash=sha256:33
zed==2.0 \
    --hash=sha256:44
"""
# It makes environments that contain itself, and has pip; every check with -c succeeds.
PYTHON = """#!/bin/sh
[ "$1" = -c ] || echo "$*" >>"$LOG"
case "$1 $2" in
  "-m pip") [ -n "$HAS_PIP" ] || exit 1 ;;
  "-m venv") for folder; do :; done; mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python" ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "scripts").mkdir(parents=True)
    shutil.copy2(ROOT / "scripts" / "install", project / "scripts")
    (project / "scripts" / "requirements.txt").write_text(LOCK)
    (project / "pyproject.toml").write_text("")
    program(project / "python", PYTHON)
    return project


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def install(project: Path, *arguments: str, has_pip: str = "1") -> tuple[list[str], list[str]]:
    """Return the calls of Python and uv, and what was printed."""
    log = project / "log"
    log.write_text("")
    variables = os.environ | {"LOG": str(log), "PYTHON": str(project / "python"), "HAS_PIP": has_pip}
    command = [str(project / "scripts" / "install"), *arguments]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return log.read_text().splitlines(), done.stdout.splitlines()


def test_each_step_is_printed_and_a_second_run_does_nothing(project: Path) -> None:
    calls, said = install(project)
    assert [line.split()[1] for line in said] == ["setting", "downloading", "installing", "compiling"]
    assert "up to 3 packages" in said[1]
    assert [line.split()[1] for line in calls if line.startswith("-m")] == [
        "pip",
        "venv",
        "pip",
        "pip",
        "pip",
        "compileall",
    ]
    assert install(project) == ([], [])


def test_pip_gets_only_the_pin_of_uv(project: Path) -> None:
    install(project)
    pinned = (project / ".venv" / "uv.txt").read_text()
    assert pinned == "uv==0.9 \\\n    --hash=sha256:22 \\\n    --hash=sha256:33\n"


@pytest.mark.parametrize(("code", "by_pip"), [(0, 0), (1, 2)])
def test_pip_installs_if_uv_cannot(project: Path, code: int, by_pip: int) -> None:
    install(project)
    program(project / ".venv" / "bin" / "uv", f'#!/bin/sh\necho "uv $*" >>"$LOG"\nexit {code}\n')
    calls, _ = install(project, ".venv-other", "scripts/requirements.txt")
    assert [line.split()[2:4] for line in calls if line.startswith("uv")] == [["pip", "sync"], ["pip", "install"]]
    assert len([line for line in calls if " install " in line and not line.startswith("uv")]) == by_pip


def test_a_python_without_pip_uses_that_of_the_environment(project: Path) -> None:
    program(project / "python", PYTHON.replace("exit 1 ;;", 'case "$0" in *venv*) ;; *) exit 1 ;; esac ;;'))
    calls, _ = install(project, has_pip="")
    assert [line for line in calls if "-m venv" in line] == ["-m venv --clear .venv"]
