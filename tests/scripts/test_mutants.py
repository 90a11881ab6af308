"""scripts/mutants.py, run as a person runs it, on a copy of the project with other tests."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copy2, copytree, ignore_patterns

import pytest

from tests.conftest import ROOT

CONTRACT = """
from wavespeed_api.api.account import get_balance
from wavespeed_api.api.tasks import submit_task
from wavespeed_api.models import TaskInput


def test_get_balance():
    kwargs = get_balance._get_kwargs()
    assert kwargs["url"] == "/api/v3/balance"
    if kwargs["method"] == "post":
        raise NameError("no_such_name")


def test_submit_task():
    kwargs = submit_task._get_kwargs("a", "b", body=TaskInput(prompt="a cat"))
    assert kwargs["headers"] == {"Content-Type": "application/json"}
    assert kwargs["json"] == {"prompt": "a cat"}
"""

Mutants = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The generated client and the script, with a contract of two tests."""
    for name in ("generated", "overlay", "scripts"):
        copytree(ROOT / name, tmp_path / name, ignore=ignore_patterns("__pycache__"))
    copy2(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests" / "contract").mkdir(parents=True)
    (tmp_path / "tests" / "contract" / "test_two.py").write_text(CONTRACT)
    return tmp_path


@pytest.fixture
def run(project: Path) -> Mutants:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, project / "scripts" / "mutants.py", *arguments]
        return subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)

    return run


def test_each_mutant_is_printed_with_its_result(run: Mutants, project: Path) -> None:
    before = {path: path.read_bytes() for path in (project / "generated").rglob("*.py")}
    done = run(
        "path-version:get_balance",
        "written-lost:task_input:prompt",
        "response-status:get_balance",
        "verb-get:get_balance",
        "type-unsaid:submit_task",
        "form-boundary:*",
    )
    assert done.returncode == 1, done.stderr
    printed = re.findall(r"^([A-Za-z ]+?) +(\S+)  \((.*)$", done.stdout, re.MULTILINE)
    assert {name: word for word, name, _ in printed} == {
        "path-version:get_balance": "killed",
        "written-lost:task_input:prompt": "killed",
        "response-status:get_balance": "SURVIVED",
        "verb-get:get_balance": "BROKEN",
        "type-unsaid:submit_task": "NOT EQUIVALENT",
        "form-boundary:upload_binary": "equivalent",
    }
    lines = {name: rest for _, name, rest in printed}
    assert "test_two.py::test_get_balance: AssertionError" in lines["path-version:get_balance"]
    assert "test_two.py::test_submit_task: AssertionError" in lines["written-lost:task_input:prompt"]
    assert "NameError: no_such_name" in lines["verb-get:get_balance"]
    assert "6 mutants:" in done.stdout.splitlines()[-1]
    assert before == {path: path.read_bytes() for path in (project / "generated").rglob("*.py")}


def test_brief_prints_one_line_if_all_mutants_are_killed(run: Mutants) -> None:
    done = run("--brief", "path-*:get_balance")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"3 mutants: 3 killed \(\d+ s\)\n", done.stdout)


def test_no_mutant_is_tried_if_the_tests_fail_without_one(run: Mutants, project: Path) -> None:
    contract = project / "tests" / "contract" / "test_two.py"
    contract.write_text(CONTRACT.replace("/api/v3/balance", "/api/v4/balance"))
    done = run("path-version:get_balance")
    assert (done.returncode, done.stdout) == (2, "")
    assert "does not pass with the client as it is: tests/contract/test_two.py::test_get_balance" in done.stderr


def test_a_rule_that_no_longer_matches_is_an_error(run: Mutants, project: Path) -> None:
    for path in (project / "generated" / "wavespeed_api" / "api").rglob("*.py"):
        path.write_text(path.read_text().replace('safe=""', "safe=str()"))
    done = run()
    assert done.returncode == 2
    assert "segment-raw matches nothing in api/*/*.py" in done.stderr


def test_an_unknown_name_is_an_error(run: Mutants) -> None:
    done = run("no-such-mutant:*")
    assert done.returncode == 2
    assert "no mutant is named no-such-mutant:*; see --list" in done.stderr


def test_the_list_names_more_than_forty_rules(run: Mutants) -> None:
    lines = run("--list").stdout.splitlines()
    assert len({line.partition(":")[0] for line in lines}) > 40
    assert "verb-get:get_result: a request is sent with the wrong verb" in lines


def test_each_takes_a_few_mutants_of_each_rule_from_all_over_the_code(run: Mutants) -> None:
    all_of_them, few = (run("--list", *arguments).stdout.splitlines() for arguments in ((), ("--each", "3")))
    rules, chosen = ([line.split(":")[0] for line in lines] for lines in (all_of_them, few))
    assert set(chosen) == set(rules)
    assert max(map(chosen.count, chosen)) == 3 < max(map(rules.count, rules))
    assert len(set(few)) == len(few)
