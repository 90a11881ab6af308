"""scripts/proxies: how it counts, and what it prints if no server is installed. These tests need no server."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from behind_proxies import __main__ as proxies
from behind_proxies import servers
from behind_proxies.client import CLIENTS, Load, environment, failed
from behind_proxies.configurations import CASES, Case
from behind_proxies.counting import COLUMNS, DOUBLED, LOST, NOT_TAKEN, NOTHING, TASK, UNCERTAIN, WRONG, Told, count
from behind_proxies.origin import (
    ANSWERED,
    BAD_GATEWAY,
    CLOSED,
    GATEWAY_TIMEOUT,
    HALF_BODY,
    HALF_HEAD,
    MARKED,
    Record,
    serving,
    settle,
)
from wavespeed_client import APIConnectionError, BadRequestError, RateLimitError, SubmissionUncertainError

# The tag for which the origin returned each id.
OWNERS = {"1": "a", "2": "b", "3": "a"}
FATES = (ANSWERED, MARKED, CLOSED, HALF_HEAD, HALF_BODY, BAD_GATEWAY, GATEWAY_TIMEOUT)


def uncertain() -> SubmissionUncertainError:
    return SubmissionUncertainError("Lost.", model="a/b", input={}, submitted_at=datetime.now(UTC))


def outcome(tag: str, word: str, *ids: str) -> Told:
    return Told(tag, word, ids)


def record(**taken: int) -> Record:
    return Record(Counter(taken), OWNERS)


# Counting


def test_a_task_for_each_input_is_good() -> None:
    figures, faults = count(["a", "b"], [outcome("b", TASK, "2", "2"), outcome("a", TASK, "1", "1")], record(a=1, b=1))
    assert [figures[column] for column in COLUMNS] == [2, 2, 2, 0, 0, 0, 0, 0, 0]
    assert faults == {}


@pytest.mark.parametrize(("word", "ids"), [(TASK, ("1",)), (UNCERTAIN, ())])
def test_doubled_counts_inputs_that_were_taken_more_than_once_whatever_the_client_says(
    word: str, ids: tuple[str, ...]
) -> None:
    figures, faults = count(["a"], [outcome("a", word, *ids)], record(a=2))
    assert faults == {DOUBLED: [outcome("a", word, *ids)]}
    assert (figures["taken"], figures[DOUBLED], figures[LOST], figures[WRONG]) == (1, 1, 0, 0)


@pytest.mark.parametrize("word", [NOT_TAKEN, NOTHING])
def test_lost_counts_taken_inputs_that_are_reported_neither_as_a_task_nor_as_uncertain(word: str) -> None:
    figures, faults = count(["a"], [outcome("a", word)], record(a=1))
    assert (figures[LOST], faults[LOST]) == (1, [outcome("a", word)])
    figures, faults = count(["a"], [outcome("a", word)], record())
    assert (figures[LOST], LOST in faults) == (0, False)


def test_an_input_that_the_client_does_not_mention_is_lost_if_it_was_taken() -> None:
    figures, faults = count(["a", "b"], [], record(a=1))
    assert {fault: [each.tag for each in inputs] for fault, inputs in faults.items()} == {
        NOTHING: ["a", "b"],
        LOST: ["a"],
    }
    assert (figures["submitted"], figures["taken"], figures[NOTHING], figures[LOST]) == (2, 1, 2, 1)


def test_an_uncertain_input_is_never_lost() -> None:
    figures, faults = count(["a", "b"], [outcome("a", UNCERTAIN), outcome("b", UNCERTAIN)], record(a=1))
    assert (figures[UNCERTAIN], figures["taken"], faults) == (2, 1, {})


@pytest.mark.parametrize("ids", [("2",), ("1", "2"), ("unknown",)])
@pytest.mark.parametrize("word", [TASK, UNCERTAIN])
def test_wrong_counts_ids_of_other_inputs_or_of_none(word: str, ids: tuple[str, ...]) -> None:
    figures, faults = count(["a"], [outcome("a", word, *ids)], record(a=1, b=1))
    assert (figures[WRONG], faults) == (1, {WRONG: [outcome("a", word, *ids)]})


def test_records_of_other_inputs_do_not_count() -> None:
    assert count(["a"], [outcome("a", TASK, "1")], record(a=1, b=5))[1] == {}


# What an exception says


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (uncertain(), UNCERTAIN),
        (APIConnectionError("Not sent."), NOT_TAKEN),
        (BadRequestError("No.", status_code=400), NOT_TAKEN),
        (RateLimitError("Later.", status_code=429), NOT_TAKEN),
        (KeyError("undocumented"), NOTHING),
    ],
)
def test_each_exception_has_its_word(error: Exception, word: str) -> None:
    assert failed({"tag": "a"}, error).word == word


def test_the_id_that_an_uncertain_submission_names_is_kept() -> None:
    error = uncertain()
    error.task_id = "1"
    assert failed({"tag": "a"}, error).ids == ("1",)
    assert failed({"tag": "a"}, APIConnectionError("Not sent.")).ids == ()


# Origin and clients without a proxy


@pytest.mark.parametrize(("many", "fates", "tasks"), [(False, FATES, 4), (True, (ANSWERED, MARKED), 14)])
def test_the_origin_counts_what_each_client_submits(many: bool, fates: tuple[str, ...], tasks: int) -> None:
    case = Case(servers.NGINX, "none", fates=fates, submissions=14, many=many)
    with serving() as (found, port, _):
        url = f"http://127.0.0.1:{port}"
        loads = {client: Load(case, url, proxies.inputs_of(case, client, share=1)) for client in CLIENTS}
        asyncio.run(proxies.carried(loads, 0.0, lambda: None))
        settle(found, quiet=0.05)
    for load in loads.values():
        figures, faults = count((given["tag"] for given in load.inputs), load.said, found)
        assert [figures[column] for column in COLUMNS] == [14, 14, tasks, 14 - tasks, 0, 0, 0, 0, 0]
        assert faults == {}


def test_the_dying_port_accepts_a_submission_and_closes_the_connection() -> None:
    case = Case(servers.NGINX, "none", submissions=1)
    with serving() as (found, _, dying):
        load = Load(case, f"http://127.0.0.1:{dying}", proxies.inputs_of(case, "WaveSpeed", share=1))
        asyncio.run(proxies.carried({"WaveSpeed": load}, 0.0, lambda: None))
        assert sum(found.taken.values()) == 1
    assert [each.word for each in load.said] == [UNCERTAIN]


def test_a_client_uses_only_the_proxy_of_its_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("WAVESPEED_BASE_URL", "https://example.com")
    found = {name: value for name, value in environment("http://127.0.0.1:2").items() if "PROX" in name.upper()}
    assert found == {"HTTP_PROXY": "http://127.0.0.1:2"}
    assert not any(name.startswith("WAVESPEED_") for name in environment(""))


# Servers


def test_every_configuration_is_written_whole_and_has_a_unique_name() -> None:
    places = {"folder": "/folder", "port": 1001, "origin": 1002, "dying": 1003}
    for case in CASES:
        text = case.server.config(places, case.more)
        assert "1001" in text
        assert "@" not in text
        assert all(line.replace("@dying", "1003") in text for line in case.more.values())
    assert len({case.name for case in CASES}) == len(CASES)
    assert {case.server for case in CASES} == set(servers.SERVERS)


@pytest.fixture
def no_servers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(servers, "MORE_FOLDERS", ())


@pytest.mark.usefixtures("no_servers")
def test_a_missing_server_is_reported_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert proxies.main([]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{name} is not installed: its configurations are skipped" for name in ("nginx", "haproxy", "squid")
    ]
    assert proxies.main(["--quick", "squid"]) == 0
    assert capsys.readouterr().out == "squid is not installed: its configurations are skipped\n"


@pytest.mark.usefixtures("no_servers")
def test_a_server_that_does_not_start_is_reported_and_fails_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "squid"
    program.write_text("#!/bin/sh\necho no room here\nexit 1\n")
    program.chmod(0o755)
    assert proxies.main(["squid"]) == 2
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "squid: no room here"
    assert "squid, passes everything on: squid does not start: no room here" in said
    assert "0 submissions: 0 doubled, 0 lost, 0 wrong ids, 0 uncertain" in said[-1]
