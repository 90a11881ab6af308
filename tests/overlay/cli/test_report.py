"""`report`, and `read_journal`: a journal can be read while it is written, and hostile text stays text."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import filelock
import pytest

from tests.overlay.batch.journals import PLANNED, SUBMITTED, SUBMITTING, written
from tests.overlay.cli.conftest import Invoke
from tests.tools import CHROMIUM
from wavespeed_client import InvalidInputError, JournalEntry, read_journal

EVIL = """</p><script>document.title='PWNED'</script><img src=x onerror="document.title='PWNED'">{{ 7 * 7 }}\x1b[2J"""
TAGS = {"html", "head", "meta", "title", "style", "body", "header", "h1", "p", "main", "article", "a", "img"}
PNG = b"\x89PNG\r\n\x1a\n picture"


def finished(number: int, task: dict[str, Any], event: str = "finished") -> dict[str, Any]:
    return {"number": number, "event": event, "at": "2026-11-22T10:00:08.500+00:00", "task": task}


def hostile(path: Path) -> None:
    outputs = ["javascript:alert(1)", 'https://example.com/"onmouseover=alert(1)', f"<svg/onload=alert(1)>{EVIL}"]
    one = {"id": "t1", "status": "completed", "outputs": outputs}
    two = {"id": "t2", "status": "failed", "outputs": [], "error": EVIL}
    three = {"id": "t3", "status": "completed", "outputs": ["https://example.com/1.png", "https://example.com/2.mp4"]}
    records = [
        PLANNED | {"input": {"prompt": EVIL, EVIL: EVIL}},
        SUBMITTING | {"cost": 0.0108},
        finished(1, one),
        PLANNED | {"number": 2, "input": {"prompt": "two"}, "model": "a/b"},
        SUBMITTING | {"number": 2, "cost": 0.2},
        finished(2, two, "failed"),
        PLANNED | {"number": 3, "input": {"prompt": "three", "seed": 5}},
        SUBMITTING | {"number": 3, "cost": 0.3},
        finished(3, three),
    ]
    written(path, *records, tail=b'{"number": 3, "eve')
    Path("out").mkdir()
    Path("out/t3-1.png").write_bytes(PNG)
    Path("out/t3-2.mp4").write_bytes(b"film")


def test_the_sheet_shows_each_input_with_its_pictures_cost_seconds_and_failure(invoke: Invoke) -> None:
    hostile(Path("b.jsonl"))
    before = Path("b.jsonl").read_bytes()
    ended = invoke("report", "b.jsonl", "--files", "out", "-o", "report.html")
    assert (ended.code, ended.out, ended.err) == (0, "report.html\n", "")
    text = Path("report.html").read_text("utf-8")
    assert "3 inputs, 1 failed, 2 finished; quoted $0.3108" in text
    assert "3 · finished · $0.30 · 8.5 s · t3" in text
    assert 'src="data:image/png;base64,iVBORw0KGgogcGljdHVyZQ=="' in text
    assert 'href="out/t3-2.mp4"' in text
    assert "{{ 7 * 7 }}" in text
    assert "\x1b" not in text
    assert Path("b.jsonl").read_bytes() == before


def test_hostile_text_in_a_report_stays_text_and_a_report_loads_nothing(invoke: Invoke) -> None:
    hostile(Path("b.jsonl"))
    invoke("report", "b.jsonl", "-o", "report.html")
    text = Path("report.html").read_text("utf-8")
    assert TAGS.issuperset(re.findall(r"<(\w+)", text))
    assert not re.search(r"\son\w+\s*=[^&]*?<", re.sub(r">[^<]*<", "><", text))
    assert set(re.findall(r'href="(\w+):', text)) == {"https"}
    assert re.findall(r'src="(?!data:)', text) == []
    assert "default-src 'none'" in text


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_runs_no_script_of_a_hostile_report(invoke: Invoke, tmp_path: Path) -> None:
    hostile(Path("b.jsonl"))
    invoke("report", "b.jsonl", "--files", "out", "-o", "report.html")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    command = [str(CHROMIUM), *options, (tmp_path / "report.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "<title>b.jsonl</title>" in done.stdout
    assert done.stdout.count("<article") == 3
    assert "<script" not in done.stdout


def test_a_folder_whose_name_is_not_utf_8_is_linked(invoke: Invoke) -> None:
    hostile(Path("b.jsonl"))
    Path("out").rename(os.fsdecode(b"caf\xe9"))
    assert invoke("report", "b.jsonl", "--files", os.fsdecode(b"caf\xe9"), "-o", "report.html").code == 0
    assert 'href="caf%E9/t3-2.mp4"' in Path("report.html").read_text("utf-8")


def test_report_needs_a_journal_and_does_not_overwrite_it(invoke: Invoke) -> None:
    written(Path("b.jsonl"), PLANNED)
    assert invoke("report", "b.jsonl", "-o", "b.jsonl").code == 2
    Path("notes.txt").write_text("hello\n")
    ended = invoke("report", "notes.txt", "-o", "report.html")
    assert (ended.code, ended.err) == (2, "Error: 'notes.txt' is not a journal.\n")
    assert not Path("report.html").exists()


def test_a_journal_is_read_while_a_run_has_it_locked(path: Path) -> None:
    written(path, PLANNED, SUBMITTING | {"cost": 0.5}, SUBMITTED)
    with path.open("rb+") as file:
        assert filelock.lock_descriptor(file.fileno(), blocking=False)
        (entry,) = read_journal(path)
    assert (entry.number, entry.event, entry.input, entry.cost) == (1, "submitted", {"tag": "t0"}, 0.5)
    assert entry.task is not None
    assert (entry.task.id, entry.seconds) == ("t0-0", None)


@pytest.mark.parametrize("kept", range(0, 200, 7))
def test_a_last_line_that_is_cut_off_is_passed_over_and_left_alone(path: Path, kept: int) -> None:
    written(path, PLANNED, SUBMITTING | {"cost": 0.5}, SUBMITTED)
    whole = path.read_bytes()
    header = whole.index(b"\n") + 1
    path.write_bytes(whole[: header + kept])
    entries = read_journal(path)
    assert len(entries) == (kept + 1 >= len(whole[header:].split(b"\n")[0]) + 1)
    assert path.read_bytes() == whole[: header + kept]


def test_uncertain_and_refused_entries_say_why(path: Path) -> None:
    uncertain = {"event": "uncertain", "submitted_at": "2026-11-22T10:00:00+00:00", "task_id": "t9", "error": "Lost."}
    uploaded = {"event": "uploaded", "digest": "d", "url": "https://example.com/x"}
    refused = {"number": 2, "event": "refused", "error": "No."}
    written(path, uploaded, PLANNED, SUBMITTING, uncertain | {"number": 1}, PLANNED | {"number": 2}, refused)
    one, two = read_journal(path)
    assert (one.event, one.task_id, one.error, one.cost) == ("uncertain", "t9", "Lost.", None)
    assert (two.event, two.error, two.submitted_at) == ("refused", "No.", None)


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"[]",
        b"5",
        b"{broken",
        json.dumps(SUBMITTING | {"number": 7, "at": "2026-11-22T10:00:00+00:00"}).encode(),
        json.dumps(PLANNED | {"at": "then"}).encode(),
        json.dumps(SUBMITTING | {"at": "2026-11-22T10:00:00+00:00", "cost": -1}).encode(),
        json.dumps(SUBMITTED | {"at": "2026-11-22T10:00:00+00:00", "task": {"id": 5}}).encode(),
    ],
)
def test_a_broken_line_is_named(path: Path, line: bytes) -> None:
    written(path, PLANNED, tail=line + b"\n" + b"{}\n")
    with pytest.raises(InvalidInputError, match="is broken at line 3"):
        read_journal(path)


@pytest.mark.parametrize("content", [b"hello", b"hello\n", b"{}\n", b'{"journal": "other", "version": 1}\n'])
def test_a_file_that_is_no_journal_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="is not a journal"):
        read_journal(path)


def test_an_unreadable_journal_is_named_and_an_empty_one_has_no_entries(path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_journal(path)
    path.write_bytes(b"")
    assert read_journal(path) == []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "batch.jsonl"


def test_read_journal_returns_entries(path: Path) -> None:
    written(path, PLANNED)
    assert isinstance(read_journal(str(path))[0], JournalEntry)
