"""scripts/regenerate.py, run on copies of the project, except for one --check of the tree itself."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from generation.table import PAGE
from tests.conftest import LONG_SERIES, ROOT, TODAY
from tests.scripts.project import (
    Entries,
    Spec,
    assert_refused,
    copy_of,
    entries,
    regenerate,
    stamps,
    start_regenerate,
    text,
    write_spec,
)

OLDER_PATH = "/api/v3/predictions/{prediction_id}"


# --check


def reported(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the lines of the report that name a file."""
    return {line for line in done.stdout.splitlines() if line.startswith(("differs: ", "missing: ", "stray: "))}


def test_the_committed_package_is_what_the_spec_gives_and_a_check_writes_nothing() -> None:
    folders = [ROOT / name for name in ("generated", "spec", "scripts")]
    before = [(entries(folder), stamps(folder)) for folder in folders]
    done = start_regenerate(ROOT, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "generated/wavespeed_api is what spec/openapi.yaml gives\n"
    assert [(entries(folder), stamps(folder)) for folder in folders] == before


def test_a_check_names_every_edited_missing_and_stray_file_and_writes_nothing(project: Path) -> None:
    package = project / "generated" / "wavespeed_api"
    with (package / "client.py").open("a") as file:
        file.write("# edited by hand\n")
    (package / "api" / "tasks" / "get_result.py").unlink()
    (package / "models" / "hand_written.py").touch()
    before = entries(project), stamps(project)

    done = regenerate(project, "--check")

    assert (done.returncode, done.stderr) == (1, "")
    assert reported(done) == {
        "differs: generated/wavespeed_api/client.py",
        "missing: generated/wavespeed_api/api/tasks/get_result.py",
        "stray: generated/wavespeed_api/models/hand_written.py",
    }
    assert "-# edited by hand" in done.stdout.splitlines()
    assert (entries(project), stamps(project)) == before


def test_a_check_is_red_when_the_spec_has_changed(project: Path, spec: Spec) -> None:
    changed = copy_of(spec)
    changed["paths"]["/api/v3/balance"]["get"]["summary"] = "What is left"
    write_spec(project, changed)
    before = entries(project), stamps(project)

    done = regenerate(project, "--check")

    assert done.returncode == 1
    assert reported(done) == {
        "differs: generated/wavespeed_api/api/account/get_balance.py",
        "differs: generated/wavespeed_api/openapi.json",
    }
    assert '+    """What is left' in done.stdout.splitlines()
    assert (entries(project), stamps(project)) == before


def test_the_table_of_operations_is_regenerated_too(project: Path, spec: Spec) -> None:
    page = project / PAGE
    committed = page.read_text("utf-8")
    row = "| GET `/api/v3/balance` | `wavespeed_api.api.account.get_balance` | `balance` |"
    assert row in committed
    page.write_text(committed.replace(row, ""), "utf-8")
    done = regenerate(project, "--check")
    assert (done.returncode, done.stdout) == (1, f"differs: {PAGE}, the table of operations\n")
    assert regenerate(project).returncode == 0
    assert page.read_text("utf-8") == committed
    page.write_text("# No table\n", "utf-8")
    assert_refused(project, regenerate(project), f"{PAGE} has no place for the table of operations")


# Regenerating


def test_the_same_spec_gives_the_same_bytes_wherever_the_script_runs(
    project: Path, committed: Entries, monkeypatch: pytest.MonkeyPatch
) -> None:
    above = project.parent
    (above / ".ignore").write_text("models/\n")
    (above / "ruff.py").write_text("raise SystemExit(0)\n")
    monkeypatch.chdir(above)
    (above / "ruff.toml").write_text('line-length = 40\n[format]\nquote-style = "single"\n')
    (above / "pyproject.toml").write_text("[tool.ruff]\nline-length = 60\n")
    with (project / "pyproject.toml").open("a") as file:
        file.write('\n[tool.ruff.format]\nquote-style = "single"\n')
    fake_ruff = above / "bin" / "ruff"
    fake_ruff.parent.mkdir()
    fake_ruff.write_text("#!/bin/sh\nexit 1\n")
    fake_ruff.chmod(0o755)
    for path in (project / "generated" / "wavespeed_api").rglob("*.py"):
        path.unlink()

    done = start_regenerate(project, PYTHONHASHSEED="12345", PATH=f"{fake_ruff.parent}:{os.environ['PATH']}")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert entries(project / "generated") == committed


def test_a_change_of_the_spec_changes_exactly_what_it_is_about(project: Path, spec: Spec, committed: Entries) -> None:
    changed: Spec = json.loads(json.dumps(spec).replace("error_code", "error_type"))
    queue = {"type": ["integer", "null"], "description": "How long the task waited for its turn, in milliseconds."}
    changed["components"]["schemas"]["Prediction"]["properties"]["queue_ms"] = queue
    del changed["paths"][OLDER_PATH]["get"]
    write_spec(project, changed)

    done = regenerate(project)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    found = entries(project / "generated")
    expected = {name: data and data.replace(b"error_code", b"error_type") for name, data in committed.items()}
    del expected["wavespeed_api/api/tasks/get_prediction.py"]
    assert {name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)} == {
        "wavespeed_api/models/prediction.py",
        "wavespeed_api/openapi.json",
    }
    renamed = text(found, "models/error_envelope.py")
    assert "    error_type: None | str | Unset = UNSET\n" in renamed
    assert 'd.pop("error_type", UNSET)' in renamed
    widened = text(found, "models/prediction.py")
    assert f'    queue_ms: int | None | Unset = UNSET\n    """ {queue["description"]} """\n' in widened
    assert 'd.pop("queue_ms", UNSET)' in widened
    assert set(text(committed, "models/prediction.py").splitlines()) <= set(widened.splitlines())
    shipped = json.loads(text(found, "openapi.json"))
    del shipped["x-generated"]
    assert shipped == changed


@pytest.mark.parametrize("works", [True, False])
def test_a_python_without_the_generator_goes_on_in_the_projects_own_environment(
    project: Path, committed: Entries, works: bool
) -> None:
    bare = [sys.executable, "-E", "-s", "-S", str(project / "scripts" / "regenerate.py")]
    own = project / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.write_text(f'#!/bin/sh\necho "$@" >"$0.arguments"\nexec "{sys.executable}" "$@"\n')
    own.chmod(0o755)
    (project / "scripts" / "install").write_text(f"#!/bin/sh\nexit {0 if works else 1}\n")
    (project / "generated" / "wavespeed_api" / "client.py").unlink()

    done = subprocess.run([*bare, "--check"], capture_output=True, text=True, check=False)

    if works:
        assert own.with_suffix(".arguments").read_text().endswith("/scripts/regenerate.py --check\n")
        assert reported(done) == {"missing: generated/wavespeed_api/client.py"}
        assert (done.returncode, done.stderr) == (1, "")
    else:
        said = "regenerate.py: its packages could not be installed; see the output of scripts/install\n"
        assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


# Being killed


def moved_away(target: Path, old: Path, new: Path) -> None:
    target.rename(old)
    shutil.copytree(old, new)


def half_written(target: Path, old: Path, new: Path) -> None:
    shutil.copytree(target, new)
    shutil.rmtree(new / "models")
    (new / "client.py").write_text("import")


def not_cleared_away(target: Path, old: Path, new: Path) -> None:
    shutil.copytree(target, old)
    (old / "client.py").write_text("# what the package held before\n")
    (old / "errors.py").unlink()


@pytest.mark.parametrize("leave", [moved_away, half_written, not_cleared_away])
def test_the_next_run_cleans_up_after_a_kill_even_if_it_fails_itself(
    project: Path, committed: Entries, leave: Callable[[Path, Path, Path], None]
) -> None:
    target, old, new = places(project)
    leave(target, old, new)
    assert entries(project / "generated") != committed

    (project / "spec" / "openapi.yaml").write_text("- no mapping\n")
    assert_refused(project, regenerate(project), "does not hold a mapping")

    shutil.copy2(ROOT / "spec" / "openapi.yaml", project / "spec")
    leave(target, old, new)
    done = regenerate(project)
    assert (done.returncode, done.stderr) == (0, "")
    assert entries(project / "generated") == committed


def places(project: Path) -> tuple[Path, Path, Path]:
    """Return the paths of the package, of the old one while it is replaced, and of the new one while it is built."""
    generated = project / "generated"
    return generated / "wavespeed_api", generated / ".wavespeed_api.old", generated / ".wavespeed_api.new"


# A sitecustomize that kills the script as soon as Python reports an event that looks like $KILL_AT.
KILLER = """
import os, re, signal, sys

def kill(event, arguments):
    if event in ("open", "os.rename", "os.remove", "shutil.rmtree", "subprocess.Popen"):
        if re.match(os.environ["KILL_AT"], f"{event} {arguments}"):
            os.kill(os.getpid(), signal.SIGKILL)

if sys.orig_argv[-1].endswith("regenerate.py"):
    sys.addaudithook(kill)
"""
MOMENTS = [
    r"open .*/\.wavespeed_api\.new/client\.py'",  # the generator is writing
    r"open .*/\.wavespeed_api\.new/openapi\.json'",
    r"subprocess\.Popen .*'check'",
    r"subprocess\.Popen .*'format'",
    r"os\.rename .*/wavespeed_api'.*/\.wavespeed_api\.old'",  # the new package is complete, the old one in place
    r"os\.rename .*/\.wavespeed_api\.new'.*/wavespeed_api'",  # the old one is moved away, and its place is empty
    r"shutil\.rmtree .*/\.wavespeed_api\.old'",  # the new one is in place, the old one still complete
    r"os\.remove .*'py\.typed'",  # the old one is half removed
]


def test_a_kill_at_any_moment_leaves_a_whole_package_behind(project: Path, committed: Entries) -> None:
    package = {name.removeprefix("wavespeed_api/"): data for name, data in committed.items() if "/" in name}
    target, old, _ = places(project)
    (project.parent / "sitecustomize.py").write_text(KILLER)
    drawn = MOMENTS if LONG_SERIES else sorted(random.Random(TODAY).sample(MOMENTS, 3), key=MOMENTS.index)
    for moment in drawn:  # each run starts with what the last one left behind
        done = start_regenerate(project, PYTHONPATH=str(project.parent), KILL_AT=moment)
        assert done.returncode == -signal.SIGKILL, moment
        assert package in (entries(target), entries(old)), moment

    done = regenerate(project)

    assert (done.returncode, done.stderr) == (0, "")
    assert entries(project / "generated") == committed


# The package


def test_every_generated_file_says_in_its_first_line_what_wrote_it(committed: Entries) -> None:
    files = {name: data for name, data in committed.items() if data is not None}
    assert {"wavespeed_api/client.py", "wavespeed_api/py.typed", "wavespeed_api/openapi.json"} <= files.keys()
    for name, data in files.items():
        assert b"scripts/regenerate.py" in data.partition(b"\n")[0], name


def test_the_package_ships_the_whole_spec(committed: Entries, spec: Spec) -> None:
    shipped = json.loads(text(committed, "openapi.json"))
    assert "scripts/regenerate.py" in shipped.pop("x-generated")
    assert shipped == spec


LOADING = """
import json, sys
import wavespeed_api.models as models

def loaded():
    return sorted(name.rpartition(".")[2] for name in sys.modules if name.startswith("wavespeed_api.models."))

def unknown():
    try:
        models.Nothing
    except AttributeError as error:
        return str(error)

names = dir(models)
at_first = loaded()
message = unknown()
models.StructuredOutput
after_one = loaded()
same = all(getattr(models, name) is getattr(models, name) for name in names)
listed = [same, sorted(models.__all__)]
print(json.dumps([names, at_first, message, after_one, listed, loaded()]))
"""


def test_models_are_imported_on_first_use(committed: Entries, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-B", "-c", LOADING], cwd=tmp_path, capture_output=True, check=True)
    names, at_first, message, after_one, listed, at_last = json.loads(done.stdout)
    modules = {Path(name).stem for name in committed if Path(name).match("wavespeed_api/models/*.py")} - {"__init__"}
    assert at_first == []
    assert message == "module 'wavespeed_api.models' has no attribute 'Nothing'"
    assert after_one == ["structured_output"]
    assert {name.lower() for name in names} == {module.replace("_", "") for module in modules}
    assert listed == [True, names]
    assert set(at_last) == modules
