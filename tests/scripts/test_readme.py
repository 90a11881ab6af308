"""Every code block of the README is run; a command that would run these tests again is run in a smaller form."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.scripts.written import WRITE_MODELS, write_models
from wavespeed_client import errors
from wavespeed_client.testing import FakeWaveSpeed

README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = [
    (language, textwrap.dedent(text))
    for language, text in re.findall(r"^ *```(\w+)\n(.*?)^ *```$", README, re.MULTILINE | re.DOTALL)
]

# What is run for a line of a shell block.
DRY_RUN = f"{sys.executable} -m pip install --dry-run --no-deps --no-build-isolation"
COMMANDS = {
    "pip install wavespeed-client": f"{DRY_RUN} .",
    'pip install "wavespeed-client[testing]"': f"{DRY_RUN} .",
    'pip install "wavespeed-client[aiohttp]"': f"{DRY_RUN} .[aiohttp]",
    "export WAVESPEED_API_KEY=your-key": "export WAVESPEED_API_KEY=your-key",
    WRITE_MODELS: f"{sys.executable} -m wavespeed_client.typed --help",
    "scripts/demo": "scripts/demo",
    "scripts/demo --batch": "scripts/demo --batch",
    "scripts/test": "scripts/test --collect-only --quiet tests/contract",
    "scripts/check": "bash -n scripts/check",
    "scripts/regenerate.py": "scripts/regenerate.py --check",
}


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def test_every_block_is_of_a_kind_that_is_run_here() -> None:
    assert {name for name, _ in BLOCKS} == {"bash", "python", "text", "diff", "console"}
    assert README.count("```") == 2 * len(BLOCKS)


TESTS = [program for program in blocks("python") if "def test_" in program]


@pytest.mark.parametrize("program", [program for program in blocks("python") if program not in TESTS])
def test_python_blocks_run(fake: FakeWaveSpeed, tmp_path: Path, program: str) -> None:
    environment = {**os.environ, "WAVESPEED_API_KEY": fake.api_key, "WAVESPEED_BASE_URL": fake.url}
    write_models(program, tmp_path, environment)
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.stderr == ""
    assert fake.requests
    for task_id in re.findall(r"media/(\w+)/1\.jpeg", done.stdout):
        assert any(task_id in request.target for request in fake.requests)


def test_the_first_program_prints_its_output(fake: FakeWaveSpeed, tmp_path: Path) -> None:
    environment = {**os.environ, "WAVESPEED_API_KEY": fake.api_key, "WAVESPEED_BASE_URL": fake.url}
    command = [sys.executable, "-c", blocks("python")[0]]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=True)
    assert re.fullmatch(rf"{fake.url}/media/\w+/1\.jpeg\n", done.stdout)
    assert len(blocks("python")[0].splitlines()) <= 7


@pytest.mark.parametrize("program", TESTS)
def test_test_files_run(pytester: pytest.Pytester, program: str) -> None:
    pytester.makepyfile(program)
    tests = program.count("\ndef test_")
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=tests)


@pytest.mark.parametrize("line", sorted({line for text in blocks("bash") for line in text.splitlines()}))
def test_shell_lines_run(line: str) -> None:
    done = subprocess.run(COMMANDS[line], shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tree_of_errors_is_the_one_in_the_code() -> None:
    (tree,) = [text for text in blocks("text") if text.startswith("WaveSpeedError")]
    names = re.compile(r"\b\w+Error\b")
    assert names.findall(tree) == names.findall((errors.__doc__ or "").partition("\n\n")[2])


def test_the_settings_table_names_every_variable() -> None:
    source = (ROOT / "overlay" / "wavespeed_client" / "settings.py").read_text("utf-8")
    for variable in set(re.findall(r"WAVESPEED_\w+", source)):
        assert f"`{variable}`" in README


# "Change the spec"


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
    (edit,) = blocks("diff")
    old, new = (line[1:] for line in edit.splitlines())
    spec = released / "spec" / "openapi.yaml"
    text = spec.read_text("utf-8")
    assert text.count(f"{old}\n") == 1
    spec.write_text(text.replace(f"{old}\n", f"{new}\n"), "utf-8")
    asked, refused, accepted = blocks("console")

    assert transcript(released, "scripts/spec_diff.py", "HEAD", "spec/openapi.yaml") == asked
    subprocess.run([sys.executable, "scripts/regenerate.py"], cwd=released, check=True)
    assert transcript(released, "scripts/release_check.py") == refused
    write_release(released, "0.2.0", "### Breaking\n\n- `upload_binary` is `upload_form` now.\n\n")
    assert transcript(released, "scripts/release_check.py") == accepted


def transcript(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return f"$ {' '.join(command)}\n{done.stdout}"
