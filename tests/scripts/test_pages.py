"""Every block of the README and the pages is run: with the wheel, what the page says to install, and the stand-in.

A command that would run these tests again is run in a smaller form.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.overlay.cli.transcripts import PAGE, made
from tests.scripts.blocks import BLOCKS, PAGES, Block, blocks
from tests.scripts.clean import Environments, run, within
from tests.scripts.written import write_models
from wavespeed_client.testing import FakeWaveSpeed

# The programs that are run for the commands of a checkout.
SMALLER = {
    "scripts/demo": "scripts/demo",
    "scripts/test": "scripts/test --collect-only --quiet tests/contract",
    "scripts/check": "bash -n scripts/check",
    "scripts/regenerate.py": "scripts/regenerate.py --check",
}
# Kinds of blocks that show text from elsewhere, and kinds that other tests run.
SHOWN = {"text", "py", "ini", "sql", "yaml", "diff"}
RUN_ELSEWHERE = {
    ("change-the-spec", "console"),  # test_change_the_spec.py
    ("other-languages", "bash"),  # tests/overlay/testing/test_other_languages.py, like the next two
    ("other-languages", "console"),
    ("other-languages", "js"),
    ("other-languages", "ts"),  # scripts/languages
}


def each(found: list[Block]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", found, ids=[block.name for block in found])


# scripts/engines runs the blocks that need an engine, in an environment with the engines.
ENGINE = re.compile(r"^import (ray|dask)\b", re.MULTILINE)
PROGRAMS = [block for block in blocks("python") if not block.is_test_file and not ENGINE.search(block.text)]
TEST_FILES = [block for block in blocks("python") if block.is_test_file]
COMMANDS = [block for block in blocks("bash") if (block.page, block.language) not in RUN_ELSEWHERE]
CHECKOUT = [block for block in COMMANDS if block.text.startswith("scripts/")]


def test_every_block_is_of_a_kind_that_is_run() -> None:
    run_here = {"python", "bash"}
    left = {(block.page, block.language) for block in BLOCKS if block.language not in SHOWN | run_here}
    assert left == {pair for pair in RUN_ELSEWHERE if pair[1] != "bash"} | {("command-line", "console")}
    assert sum(page.read_text("utf-8").count("```") for page in PAGES) == 2 * len(BLOCKS)


@pytest.fixture
def variables(fake: FakeWaveSpeed, request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables that point a client to the stand-in, and a batch to an empty database."""
    found = {"WAVESPEED_API_KEY": fake.api_key, "WAVESPEED_BASE_URL": fake.url, "TQDM_DISABLE": "1"}
    if "WAVESPEED_JOURNAL" in request.node.callspec.params["block"].text:
        found["WAVESPEED_JOURNAL"] = request.getfixturevalue("empty_database")
    return found


@each(PROGRAMS)
def test_programs_run(
    clean: Environments, fake: FakeWaveSpeed, variables: dict[str, str], block: Block, tmp_path: Path
) -> None:
    python = clean.python(block.needs)
    environment = within(python, **variables)
    write_models(block.text, tmp_path, environment)
    (tmp_path / "program.py").write_text(block.text, "utf-8")
    command = [str(python), "-W", "error", "program.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert fake.requests or "FakeWaveSpeed()" in block.text
    for task_id in re.findall(r"media/(\w+)/1\.jpeg", done.stdout) if fake.requests else ():
        assert any(task_id in request.target for request in fake.requests)


@each(TEST_FILES)
def test_test_files_run(clean: Environments, block: Block, tmp_path: Path) -> None:
    python = clean.python(block.needs)
    (tmp_path / "test_app.py").write_text(block.text, "utf-8")
    command = [str(python), "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "test_app.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=within(python), check=False)
    assert f"{block.text.count('def test_')} passed" in done.stdout, done.stdout + done.stderr


@each([block for block in COMMANDS if block not in CHECKOUT])
def test_commands_run(clean: Environments, variables: dict[str, str], block: Block, tmp_path: Path) -> None:
    python = clean.python(block.needs)
    environment = within(python, **variables)
    if block.text.startswith("python -m wavespeed_client.typed my_models.py --"):
        write_models("my_models", tmp_path, environment)
    # Installed packages and exported variables are there already.
    lines = [line for line in block.text.splitlines() if not re.match(r"pip install |export [A-Z_]+=", line)]
    run(["bash", "-euc", "\n".join(lines)], cwd=tmp_path, env=environment)


@pytest.mark.parametrize("line", sorted({line for block in CHECKOUT for line in block.text.splitlines()}))
def test_commands_of_a_checkout_run(line: str) -> None:
    run(["bash", "-c", SMALLER[line]], cwd=ROOT)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_transcripts_of_the_command_line_are_what_its_commands_print(
    clean: Environments, fake: FakeWaveSpeed, tmp_path: Path
) -> None:
    page = PAGE.read_text("utf-8")
    (needs, *_) = {block.needs for block in blocks("console", "command-line")}
    assert made(page, fake, tmp_path, clean.python(needs)) == page
