"""Every code block of the README is run; a command that would run these tests again is run in a smaller form."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from wavespeed_client import errors
from wavespeed_client.testing import FakeWaveSpeed

README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)

# What is run for a line of a shell block.
COMMANDS = {
    "pip install wavespeed-client": f"{sys.executable} -m pip install --dry-run --no-deps --no-build-isolation .",
    'pip install "wavespeed-client[testing]"': f"{sys.executable} -m pip install --dry-run --no-deps ."
    " --no-build-isolation",
    "export WAVESPEED_API_KEY=your-key": "export WAVESPEED_API_KEY=your-key",
    "scripts/demo": "scripts/demo",
    "scripts/test": "scripts/test --collect-only --quiet tests/contract",
    "scripts/check": "bash -n scripts/check",
    "scripts/regenerate.py": "scripts/regenerate.py --check",
}


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def test_every_block_is_of_a_kind_that_is_run_here() -> None:
    assert {name for name, _ in BLOCKS} == {"bash", "python", "text"}
    assert README.count("```") == 2 * len(BLOCKS)


TESTS = [program for program in blocks("python") if "def test_" in program]


@pytest.mark.parametrize("program", [program for program in blocks("python") if program not in TESTS])
def test_python_blocks_run(fake: FakeWaveSpeed, tmp_path: Path, program: str) -> None:
    environment = {**os.environ, "WAVESPEED_API_KEY": fake.api_key, "WAVESPEED_BASE_URL": fake.url}
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
