"""`python -m wavespeed_client.typed`: what it writes, refuses and prints, and how it exits."""

from __future__ import annotations

import errno
import io
import os
import stat
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.overlay.typed.conftest import PAINTER, SPEAKER, Command, Serve, locked, texts
from tests.overlay.typed.models import PAINT, SPEAK, row, rows
from wavespeed_client.typed import __main__ as program
from wavespeed_client.typed import writing


def test_the_command_writes_the_models_that_are_named(written: Command) -> None:
    assert list(texts()) == ["models.lock.json", "models.py"]
    assert list(locked()["models"]) == [SPEAKER]
    assert 'acme_speak: "ModelOf[AcmeSpeakInput]"' in texts()["models.py"]


def test_the_command_runs_without_docstrings() -> None:
    command = [sys.executable, "-OO", "-m", "wavespeed_client.typed", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--fail-on" in done.stdout


def test_the_command_adds_models_and_updates_the_others(written: Command, serve: Serve) -> None:
    changed = deepcopy(SPEAK)
    changed["properties"]["speed"] = {"type": "number"}
    serve(rows({PAINTER: PAINT, SPEAKER: changed}))
    code, printed, _ = written("models.py", PAINTER)
    assert (code, printed) == (0, f"compatible {SPEAKER}: speed was added, optional\nmodels.py has 2 models\n")
    assert list(locked()["models"]) == [PAINTER, SPEAKER]
    assert "speed: NotRequired" in texts()["models.py"] or '"speed": NotRequired' in texts()["models.py"]


def test_the_option_all_takes_every_described_model(command: Command, serve: Serve) -> None:
    serve([*rows(), row("acme/silent", None), row("not an id", SPEAK), row("models/x", SPEAK)])
    assert command("models.py", "--all")[:2] == (0, "models.py has 2 models\n")


def test_the_options_all_and_remove_take_every_model_but_one(command: Command, serve: Serve) -> None:
    serve(rows())
    assert command("models.py", "--all", "--remove", PAINTER)[:2] == (0, "models.py has 1 model\n")
    assert list(locked()["models"]) == [SPEAKER]


def test_options_and_models_may_stand_in_any_order(command: Command, serve: Serve) -> None:
    serve(rows())
    assert command("models.py", SPEAKER, "--no-descriptions", PAINTER)[0] == 0
    assert len(locked()["models"]) == 2


def test_a_model_can_be_removed(written: Command, serve: Serve) -> None:
    serve(rows())
    assert written("models.py", "--remove", SPEAKER, PAINTER)[:2] == (0, "models.py has 1 model\n")
    assert list(locked()["models"]) == [PAINTER]


def test_no_descriptions_keeps_descriptions_out_of_both_files_in_later_runs_too(command: Command, serve: Serve) -> None:
    for arguments, there in (
        ((PAINTER,), True),
        (("--no-descriptions",), False),
        ((), False),
        (("--descriptions",), True),
    ):
        serve(rows())
        assert command("models.py", *arguments)[:2] == (0, "models.py has 1 model\n")
        assert [("What to paint." in text) for text in texts().values()] == [there, there]
        assert command("models.py", "--check")[0] == 0


def test_a_model_that_left_the_catalogue_stays(written: Command, serve: Serve) -> None:
    before = texts()
    serve(rows({PAINTER: PAINT}))
    assert written("models.py")[:2] == (
        0,
        f"breaking   {SPEAKER}: the input is no longer in the catalogue\nmodels.py has 1 model\n",
    )
    assert texts() == before


def test_an_unknown_model_names_three_close_ones(command: Command, serve: Serve) -> None:
    serve(rows({f"acme/{name}": SPEAK for name in ("speak", "speaks", "squeak", "paint")}))
    code, printed, error = command("models.py", "acme/speek")
    assert (code, printed) == (2, "")
    assert error == (
        "python -m wavespeed_client.typed: There is no model acme/speek. "
        "Close to it: acme/speak, acme/speaks, acme/squeak.\n"
    )
    assert not texts()


WRONG: list[tuple[list[str], str]] = [
    ([], "the following arguments are required: FILE"),
    (["models.py"], "has no models yet: name one"),
    (["models.py", "flux-dev"], "A model id is provider/model"),
    (["models.py", "--check", "--diff"], "--check and --diff cannot be combined"),
    (["models.py", "--check", "acme/speak"], "--check writes nothing"),
    (["models.py", "--diff", "--all"], "--diff writes nothing"),
    (["models.py", "--diff", "--remove", "a/b"], "--diff writes nothing"),
    (["models.py", "--check", "--no-descriptions"], "--check writes nothing"),
    (["models.py", "a/b", "--json"], "--json and --fail-on need --diff"),
    (["models.py", "--check", "--fail-on", "any"], "--json and --fail-on need --diff"),
    (["models.py", "--diff", "--fail-on", "words"], "invalid choice: 'words'"),
    (["models.py", "a/b", "--remove", "a/b"], "a/b cannot be added and removed at once"),
    (["models.py", "--remove", "a/b"], "a/b is not in the file"),
    (["models.txt", "a/b"], "FILE must be an importable module that does not shadow another one"),
    (["my-models.py", "a/b"], "FILE must be an importable module that does not shadow another one"),
    (["class.py", "a/b"], "FILE must be an importable module that does not shadow another one"),
    (["types.py", "a/b"], "FILE must be an importable module that does not shadow another one"),
    (["wavespeed_client.py", "a/b"], "FILE must be an importable module that does not shadow another one"),
    (["nowhere/models.py", "a/b"], "the folder nowhere does not exist: create it first"),
    (["models.py", "--check"], "models.lock.json does not exist"),
    (["models.py", "--diff"], "models.lock.json does not exist"),
    (["models.py", "--force"], "unrecognized arguments: --force"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=" ".join)
def test_wrong_use_is_one_line(command: Command, arguments: list[str], said: str) -> None:
    code, printed, error = command(*arguments)
    assert (code, printed) == (2, "")
    assert error.startswith("python -m wavespeed_client.typed: ")
    assert said in error
    assert error.count("\n") == 1
    assert not texts()


def test_without_a_key_the_command_says_so(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAVESPEED_API_KEY")
    code, _, error = command("models.py", "a/b")
    assert code == 2
    assert "WAVESPEED_API_KEY" in error


def test_a_model_that_is_not_described_is_refused(command: Command, serve: Serve) -> None:
    serve(rows({SPEAKER: None}))
    assert "does not describe the input of acme/speak" in command("models.py", SPEAKER)[2]


def test_two_models_of_one_name_write_nothing(command: Command, serve: Serve) -> None:
    serve(rows({"a/b-c": SPEAK, "a/b/c": SPEAK}))
    assert "a/b-c and a/b/c would both be named a_b_c" in command("models.py", "--all")[2]
    assert not texts()


def test_a_file_that_the_command_did_not_write_is_not_overwritten(command: Command) -> None:
    Path("models.py").write_text("mine = 1\n")
    assert "was not written by this command" in command("models.py", SPEAKER)[2]
    assert texts() == {"models.py": "mine = 1\n"}


def test_a_module_that_has_lost_its_lock_is_not_overwritten(written: Command) -> None:
    Path("models.lock.json").unlink()
    assert "models.lock.json is missing" in written("models.py", PAINTER)[2]


def test_the_lock_is_written_first_and_each_file_whole(
    written: Command, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = texts()
    rename = Path.replace
    renamed: list[str] = []

    def fail_at_the_second(self: Path, target: Path) -> Path:
        renamed.append(Path(target).name)
        if len(renamed) == 2:
            raise PermissionError(13, "Permission denied", str(self))
        return rename(self, target)

    monkeypatch.setattr(writing.Path, "replace", fail_at_the_second)
    serve(rows())
    assert written("models.py", PAINTER)[::2] == (
        2,
        "python -m wavespeed_client.typed: models.py: Permission denied\n",
    )
    assert renamed == ["models.lock.json", "models.py"]
    assert texts().keys() == before.keys()
    assert texts()["models.py"] == before["models.py"]
    assert written("models.py", "--check")[0] == 1


def test_if_one_of_the_two_files_cannot_be_written_neither_is(written: Command, serve: Serve) -> None:
    Path("models.py").unlink()
    Path("models.py").symlink_to("nowhere/models.py")
    before = Path("models.lock.json").read_text()
    serve(rows())
    assert written("models.py", PAINTER)[::2] == (
        2,
        "python -m wavespeed_client.typed: models.py: No such file or directory\n",
    )
    assert Path("models.lock.json").read_text() == before
    assert sorted(path.name for path in Path().iterdir()) == ["models.lock.json", "models.py"]


def test_a_link_in_a_circle_is_reported(command: Command, serve: Serve) -> None:
    Path("models.py").symlink_to("models.py")
    serve(rows())
    assert command("models.py", PAINTER) == (
        2,
        "",
        "python -m wavespeed_client.typed: models.py: Too many levels of symbolic links\n",
    )


def test_changes_that_another_run_has_written_meanwhile_are_not_lost(
    written: Command, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = program.fetch_catalogue

    def other_run() -> Any:
        Path("models.lock.json").write_text(Path("models.lock.json").read_text().replace('"voice"', '"choice"'))
        return fetch()

    monkeypatch.setattr(program, "fetch_catalogue", other_run)
    before = texts()
    serve(rows())
    code, printed, error = written("models.py", PAINTER)
    assert (code, printed) == (2, "")
    assert "models.lock.json was changed while this command ran: run it again" in error
    assert texts()["models.py"] == before["models.py"]
    assert '"choice"' in texts()["models.lock.json"]


def test_a_full_disk_behind_stdout_is_reported(both: Command, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    serve(rows())
    code, _, error = both("models.py", "--diff")
    assert (code, error) == (2, "python -m wavespeed_client.typed: stdout: No space left on device\n")


@pytest.mark.parametrize("place", ["/dev/full", "a closed pipe"])
def test_output_that_cannot_be_written_is_reported_once(written: Command, serve: Serve, place: str) -> None:
    reader, writer = (
        os.pipe() if place == "a closed pipe" else (os.open(os.devnull, os.O_RDONLY), os.open(place, os.O_WRONLY))
    )
    os.close(reader)
    serve(rows())
    program = [sys.executable, "-m", "wavespeed_client.typed", "models.py", "--diff"]
    done = subprocess.run(program, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.returncode == 2
    assert done.stderr.startswith("python -m wavespeed_client.typed: stdout: ")
    assert done.stderr.count("\n") == 1


def test_a_rewritten_file_keeps_its_mode_and_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.py", tmp_path / "link.py"
    mask = os.umask(0o027)
    try:
        writing.write({target: "one"})
    finally:
        os.umask(mask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    target.chmod(0o604)
    link.symlink_to(target)
    writing.write({link: "two\n"})
    assert link.is_symlink()
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (b"two\n", 0o604)
