"""The journal in a file: what a run that died leaves, and which files are refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Driven
from tests.overlay.batch.journals import BASE_URL, HEADER, MODEL, PLANNED, SUBMITTED, SUBMITTING, events, lines, written
from tests.servers.in_process import Attach, Service, stepper, tagged
from wavespeed_client import (
    ConfigurationError,
    InvalidInputError,
    SubmissionUncertainError,
)
from wavespeed_client.batch.journal import EVENTS, Item, digest_of
from wavespeed_client.batch.text_journal import TextJournal

pytestmark = pytest.mark.promise("batch-resume", "journal-first", "journal-refused")


def test_a_run_that_died_while_it_submitted_leaves_an_uncertain_submission(ws: Driven, fake: Any, path: Path) -> None:
    written(path, PLANNED, SUBMITTING, base_url=fake.url)
    for _ in range(2):
        (outcome,) = ws.run_many(MODEL, [{"tag": "t0"}], journal=path)
        assert isinstance(outcome.error, SubmissionUncertainError)
        assert (outcome.error.model, outcome.error.input) == (MODEL, {"tag": "t0"})
        assert outcome.error.submitted_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert fake.requests == []
    assert events(path) == {1: ["planned", "submitting", "uncertain"]}
    ws.submit(MODEL, {"tag": "t0"})
    assert len(ws.find_submissions(outcome.error)) == 1


def test_a_run_that_died_before_it_submitted_has_lost_nothing(attach: Attach, service: Service, path: Path) -> None:
    written(path, PLANNED)
    (outcome,) = attach().run_many(MODEL, tagged(1), journal=path)
    assert outcome.error is None
    assert events(path) == {1: ["planned", "submitting", "submitted", "finished"]}


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_line_that_was_cut_off_is_removed(attach: Attach, service: Service, path: Path, cut: int) -> None:
    whole = json.dumps({"number": 1, "event": "submitting", "at": "2026-11-22T10:00:00.000+00:00"}).encode()
    written(path, PLANNED, tail=whole[:-cut])
    (outcome,) = attach().run_many(MODEL, tagged(1), journal=path)
    assert outcome.error is None
    assert events(path) == {1: ["planned", "submitting", "submitted", "finished"]}


def test_a_whole_last_line_without_its_line_break_is_kept(attach: Attach, service: Service, path: Path) -> None:
    written(path, PLANNED, SUBMITTING, SUBMITTED)
    path.write_bytes(path.read_bytes()[:-1])
    (outcome,) = attach().run_many(MODEL, tagged(1), journal=path)
    assert outcome.task.id == "t0-0"
    assert service.submitted == []
    assert events(path) == {1: ["planned", "submitting", "submitted", "finished"]}


@pytest.mark.parametrize("begun", [b"", HEADER[:7], HEADER[:-1], HEADER])
def test_a_file_that_is_empty_or_hardly_begun_is_a_new_journal(
    attach: Attach, service: Service, path: Path, begun: bytes
) -> None:
    path.write_bytes(begun)
    attach().run_many(MODEL, tagged(1), journal=path)
    assert path.read_bytes().startswith(HEADER)
    assert len(lines(path)) == 5


@pytest.mark.parametrize(
    "content",
    [
        b"\n",
        b"{}\n",
        b"prompt\na cat\n",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100,
        b'{"journal": "wavespeed-client", "version": 1}\n',
        HEADER.replace(b"1", b"2"),
        HEADER.replace(b"https://api.wavespeed.ai", b"http://127.0.0.1:8080").replace(b"1,", b"2,"),
        b'{"journal": "other"}\n',
        b"{" * 100_000,
        HEADER[:-1] + b" \n",
    ],
)
def test_a_file_that_is_no_journal_is_refused_and_not_touched(
    attach: Attach, service: Service, path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    before = path.stat().st_mtime_ns
    with pytest.raises(InvalidInputError, match=r"batch\.jsonl' is not a journal"):
        attach().run_many(MODEL, tagged(1), journal=path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, before)
    assert service.submitted == []


def test_a_journal_of_tasks_elsewhere_is_refused_and_not_touched(attach: Attach, service: Service, path: Path) -> None:
    stand_in = "http://127.0.0.1:8080"
    attach(base_url=stand_in).run_many(MODEL, tagged(1), journal=path)
    before = path.read_bytes()
    with pytest.raises(InvalidInputError, match=f"for '{stand_in}', but this client is for '{BASE_URL}'"):
        attach().run_many(MODEL, tagged(1), journal=path)
    assert path.read_bytes() == before
    (again,) = attach(base_url="HTTP://127.0.0.1:8080/").run_many(MODEL, tagged(1), journal=path)
    assert again.error is None
    assert len(service.submitted) == 1


@pytest.mark.parametrize(
    "broken",
    [
        b"\n",
        b"{\n",
        b"5\n",
        b"[]\n",
        b"\xff\n",
        b'{"number": 1}\n',
        b'{"number": 1, "event": "eaten", "at": "2026-11-22T10:00:00+00:00"}\n',
        b'{"number": 1, "event": "submitting"}\n',
        b'{"number": 1, "event": "submitting", "at": "noon"}\n',
        b'{"number": 1, "event": "submitted", "at": "2026-11-22T10:00:00+00:00", "task": {"id": "../x"}}\n',
        b'{"number": 1, "event": "uncertain", "at": "2026-11-22T10:00:00+00:00"}\n',
        b'{"number": 7, "event": "submitting", "at": "2026-11-22T10:00:00+00:00"}\n',
        b'{"number": "1", "event": "submitting", "at": "2026-11-22T10:00:00+00:00"}\n',
        b'{"number": 7, "event": "planned", "at": "2026-11-22T10:00:00+00:00", "model": "a/b", "input": {}}\n',
        b'{"number": 2, "event": "planned", "at": "2026-11-22T10:00:00+00:00", "model": "a/b"}\n',
        b"[" * 100_000 + b"\n",
    ],
)
def test_a_broken_line_is_refused_with_its_number_and_nothing_is_touched(
    attach: Attach, service: Service, path: Path, broken: bytes
) -> None:
    written(path, PLANNED, tail=broken + b'{"number": 1, "torn')
    before = path.read_bytes()
    with pytest.raises(InvalidInputError, match="broken at line 3") as caught:
        attach().run_many(MODEL, tagged(1), journal=path)
    assert "batch.jsonl" in str(caught.value)
    assert path.read_bytes() == before
    assert service.submitted == []


def test_places_that_cannot_hold_a_journal_are_named(attach: Attach, service: Service, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("", "missing/batch.jsonl", "pipe", "nul\0byte"):
        with pytest.raises(InvalidInputError, match="journal"):
            attach().run_many(MODEL, tagged(1), journal=f"{tmp_path}/{name}")
    assert service.submitted == []


def test_the_second_run_on_a_journal_is_refused_until_the_first_has_ended(
    attach: Attach, service: Service, path: Path
) -> None:
    step, close = stepper(attach(), MODEL, tagged(50), journal=path)
    step()
    before = path.read_bytes()
    other = attach()
    link = path.with_name("link.jsonl")
    link.symlink_to(path)
    for name in (path, link):
        with pytest.raises(InvalidInputError, match="in use"):
            other.run_many(MODEL, tagged(50), journal=name)
    assert path.read_bytes().startswith(before)
    close()
    assert len(other.run_many(MODEL, tagged(50), journal=path)) == 50
    assert set(service.accepted.values()) == {1}
    assert len(service.accepted) == 50


HOLDER = """
import sys
from pathlib import Path
from wavespeed_client.batch.text_journal import TextJournal
journal = TextJournal(Path(sys.argv[1]), sys.argv[2])
journal.prepare()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_run_in_another_process_holds_the_journal_until_it_is_killed(
    attach: Attach, service: Service, path: Path
) -> None:
    command = [sys.executable, "-c", HOLDER, str(path), BASE_URL]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(InvalidInputError, match="in use"):
            attach().run_many(MODEL, tagged(1), journal=path)
        process.kill()
        process.wait()
        assert len(attach().run_many(MODEL, tagged(1), journal=path)) == 1


def test_without_the_extra_a_journal_is_refused_at_once(
    attach: Attach, service: Service, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wavespeed_client.batch.options.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'wavespeed-client\[batch\]'"):
        attach().client.run_many(MODEL, tagged(1), journal=path)
    assert not path.exists()
    assert len(attach().run_many(MODEL, tagged(1))) == 1


def test_tasks_under_way_when_the_loop_is_left_are_in_the_journal(attach: Attach, service: Service, path: Path) -> None:
    service.poll = lambda task, polls: None if task.startswith("t3-") else service.prediction(task, "processing")
    step, close = stepper(attach(), MODEL, tagged(50), journal=path, max_in_flight=5, timeout=None)
    assert step().input == {"tag": "t3"}
    close()
    known = [line["task"]["id"] for line in lines(path)[1:] if line["event"] == "submitted"]
    assert Counter(known) == Counter(f"{tag}-{number}" for number, tag in enumerate(service.submitted))
    service.poll = lambda task, polls: None
    assert len(attach().run_many(MODEL, tagged(50), journal=path)) == 50
    assert set(service.accepted.values()) == {1}


class Full:
    """A disk with room for this many more bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, real: Callable[[Any], int]) -> Callable[[Any], int]:
        def write(data: bytes) -> int:
            if not self.room:
                raise OSError(28, "No space left on device")
            part = data[: self.room]
            self.room -= len(part)
            return real(part)

        return write


def test_a_line_that_does_not_fit_on_the_disk_is_taken_back(
    attach: Attach, service: Service, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only its line break does not fit, so the next run would take the line for a whole one."""
    attach().run_many(MODEL, tagged(1), journal=path)
    whole = path.read_bytes()
    room = whole.index(b"\n", whole.index(b"submitting"))
    path.unlink()
    service.submitted.clear()
    with monkeypatch.context() as patch:
        patch.setattr("wavespeed_client.batch.text_journal.io.FileIO", narrow_file(Full(room)))
        with pytest.raises(ConfigurationError, match="cannot be written"):
            attach().run_many(MODEL, tagged(1), journal=path)
    assert service.submitted == []
    assert events(path) == {1: ["planned"]}


@pytest.mark.parametrize("room", range(0, 1200, 97))
def test_a_full_disk_stops_the_batch_and_pays_nothing_twice(
    attach: Attach, service: Service, path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    full = Full(room)
    with monkeypatch.context() as patch:
        patch.setattr("wavespeed_client.batch.text_journal.io.FileIO", narrow_file(full))
        with pytest.raises((ConfigurationError, InvalidInputError), match=r"batch\.jsonl"):
            attach().run_many(MODEL, tagged(10), journal=path, max_in_flight=2)
    sent = len(service.submitted)
    assert sent <= 10
    outcomes = attach().run_many(MODEL, tagged(10), journal=path)
    assert set(service.accepted.values()) == {1}
    lost = {outcome.input["tag"] for outcome in outcomes if outcome.uncertain}
    assert lost <= set(service.submitted[:sent])
    assert all(outcome.error is None for outcome in outcomes if not outcome.uncertain)


def replaced(path: Path) -> None:
    """Replace a file with a copy, as editors do."""
    copy = path.with_suffix(".copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)


@pytest.mark.parametrize("change", [Path.unlink, replaced])
def test_nothing_is_sent_once_the_file_was_deleted(
    attach: Attach, service: Service, path: Path, change: Callable[[Path], None]
) -> None:
    """The next run would not find what is written to it now."""

    def inputs() -> Iterator[dict[str, Any]]:
        first, *others = tagged(4)
        yield first
        change(path)
        yield from others

    with pytest.raises(ConfigurationError, match=r"cannot be written \(it was deleted"):
        attach().run_many(MODEL, inputs(), journal=path, max_in_flight=1)
    assert service.submitted == ["t0"]


def narrow_file(full: Full) -> type:
    import io

    class File(io.FileIO):
        def write(self, data: Any) -> int:
            return full.write(super().write)(data)

    return File


def test_responses_with_half_a_surrogate_pair_are_kept(attach: Attach, service: Service, path: Path) -> None:
    odd = {"code": 200, "data": {"id": "t0-0", "status": "completed", "outputs": ["half \ud83d of it"]}}
    service.submission = lambda number, given: (200, dict(odd))
    first = attach().run_many(MODEL, [{"tag": "t0", "prompt": "猫"}], journal=path)
    second = attach().run_many(MODEL, [{"tag": "t0", "prompt": "猫"}], journal=path)
    assert first == second
    assert "猫" in path.read_text("utf-8")


def test_memory_for_earlier_runs_is_a_few_bytes_an_input(path: Path) -> None:
    import tracemalloc

    count = 5_000
    outputs = ["https://example.com/" + "x" * 400]
    with path.open("wb") as file:
        file.write(HEADER)
        for number in range(1, count + 1):
            at = "2026-11-22T10:00:00.000+00:00"
            planned = {"number": number, "event": "planned", "at": at, "model": MODEL, "input": {"tag": number}}
            task = {"id": f"task-{number}", "status": "completed", "outputs": outputs}
            finished = {"number": number, "event": "finished", "at": at, "task": task}
            file.write(json.dumps(planned).encode() + b"\n" + json.dumps(finished).encode() + b"\n")
    tracemalloc.start()
    journal = TextJournal(path, BASE_URL)
    journal.prepare()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 400 * count
    known = Item(digest_of(MODEL, {"tag": 4321}), MODEL, b'{"tag":4321}')
    entry, again = journal.look(known), journal.look(known)
    assert entry.task is not None
    assert (entry.key, entry.event, entry.task.id) == (4321, "finished", "task-4321")
    assert (again.key, again.event) == (count + 1, "planned")
    journal.close()


def test_the_format_is_described_in_the_module_that_writes_it() -> None:
    page = sys.modules["wavespeed_client.batch.text_journal"].__doc__ or ""
    assert HEADER.decode().strip() in page
    for event in EVENTS:
        assert f"\n    {event} " in page
