"""scripts/proxies: how it counts, and what it says where no server is installed. No server is needed for its tests."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

import proxies
import proxy
from configurations import CONFIGURATIONS
from counting import NOT_TAKEN, NOTHING, TASK, UNCERTAIN, Record, Told, count
from load import CLIENTS, Load, carried, environment
from origin import ANSWERED, BAD_GATEWAY, CLOSED, HALF_BODY, HALF_HEAD, serving
from submitter import failed, word_of
from wavespeed_client import APIConnectionError, BadRequestError, RateLimitError, SubmissionUncertainError

# Which tag the origin gave each id for.
OWNERS = {"1": "a", "2": "b", "3": "a"}
FATE_WORDS = {ANSWERED: TASK, CLOSED: UNCERTAIN, HALF_HEAD: UNCERTAIN, HALF_BODY: UNCERTAIN, BAD_GATEWAY: UNCERTAIN}


def uncertain() -> SubmissionUncertainError:
    return SubmissionUncertainError("Lost.", model="a/b", input={}, submitted_at=datetime.now(UTC))


def told(tag: str, word: str, *ids: str) -> Told:
    return Told(tag, word, ids)


# Counting


def test_a_task_for_each_input_is_good() -> None:
    found = count(["a", "b"], [told("b", TASK, "2", "2"), told("a", TASK, "1", "1")], Record({"a": 1, "b": 1}, OWNERS))
    assert (found.submissions, found.taken, found.words[TASK], found.words[UNCERTAIN]) == (2, 2, 2, 0)
    assert found.good


def test_doubled_is_what_was_taken_more_than_once_whatever_the_client_says() -> None:
    for word, ids in ((TASK, ("1",)), (UNCERTAIN, ())):
        found = count(["a"], [told("a", word, *ids)], Record({"a": 2}, OWNERS))
        assert [each.tag for each in found.doubled] == ["a"]
        assert (found.lost, found.wrong, found.good) == ((), (), False)


@pytest.mark.parametrize("word", [NOT_TAKEN, NOTHING])
def test_lost_is_what_was_taken_and_is_told_neither_as_a_task_nor_as_uncertain(word: str) -> None:
    assert [each.tag for each in count(["a"], [told("a", word)], Record({"a": 1}, OWNERS)).lost] == ["a"]
    assert count(["a"], [told("a", word)], Record({}, {})).good


def test_an_input_that_the_client_does_not_mention_is_lost_if_it_was_taken() -> None:
    found = count(["a", "b"], [], Record({"a": 1}, OWNERS))
    assert [each.tag for each in found.lost] == ["a"]
    assert (found.submissions, found.taken, found.words[NOTHING]) == (2, 1, 2)
    assert [each.tag for each in found.silent] == ["a", "b"]


def test_uncertain_is_never_lost() -> None:
    found = count(["a", "b"], [told("a", UNCERTAIN), told("b", UNCERTAIN)], Record({"a": 1}, OWNERS))
    assert (found.words[UNCERTAIN], found.taken) == (2, 1)
    assert found.good


@pytest.mark.parametrize("ids", [("2",), ("1", "2"), ("unknown",)])
@pytest.mark.parametrize("word", [TASK, UNCERTAIN])
def test_wrong_is_an_id_of_another_input_or_of_none(word: str, ids: tuple[str, ...]) -> None:
    found = count(["a"], [told("a", word, *ids)], Record({"a": 1, "b": 1}, OWNERS))
    assert [each.ids for each in found.wrong] == [ids]
    assert not found.good


def test_what_other_inputs_met_does_not_count() -> None:
    assert count(["a"], [told("a", TASK, "1")], Record({"a": 1, "b": 5}, OWNERS)).good


# What an exception says


def test_the_word_of_an_exception() -> None:
    assert word_of(uncertain()) == UNCERTAIN
    assert word_of(APIConnectionError("Not sent.")) == NOT_TAKEN
    assert word_of(BadRequestError("No.", status_code=400)) == NOT_TAKEN
    assert word_of(RateLimitError("Later.", status_code=429)) == NOT_TAKEN
    assert word_of(KeyError("undocumented")) == NOTHING


def test_the_id_that_an_uncertain_submission_names_is_kept() -> None:
    error = uncertain()
    error.task_id = "1"
    assert failed({"tag": "a"}, error).ids == ("1",)
    assert failed({"tag": "a"}, APIConnectionError("Not sent.")).ids == ()


# Origin and clients, with nothing between them


def load(kind: str, url: str) -> Load:
    return Load(kind, url, "", [{"tag": f"{kind} {fate}", "fate": fate, "delay": 0.0} for fate in FATE_WORDS])


def test_the_origin_counts_what_each_client_submits(tmp_path: Path) -> None:
    with serving() as origin:
        loads = [load(kind, f"http://127.0.0.1:{origin.port}") for kind in CLIENTS.values()]
        said = carried(loads, tmp_path)
        record = origin.settled(quiet=0.05)
    for given, each in zip(loads, said, strict=True):
        assert {told.tag.partition(" ")[2]: told.word for told in each} == FATE_WORDS
        found = count(given.tags, each, record)
        assert (found.submissions, found.taken, found.good) == (5, 5, True)


def test_a_client_gets_no_proxy_but_the_one_that_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("WAVESPEED_BASE_URL", "https://example.com")
    found = {name: value for name, value in environment("http://127.0.0.1:2").items() if "PROX" in name.upper()}
    assert found == {"HTTP_PROXY": "http://127.0.0.1:2"}
    assert not any(name.startswith("WAVESPEED_") for name in environment(""))


# Servers


def test_every_configuration_can_be_written_and_has_a_name_of_its_own(tmp_path: Path) -> None:
    at = proxy.Places(tmp_path, 1001, 1002, 1003)
    for configuration in CONFIGURATIONS:
        assert "1001" in configuration.config(at)
    names = [proxies.name(configuration) for configuration in CONFIGURATIONS]
    assert len(set(names)) == len(names)
    assert {configuration.server for configuration in CONFIGURATIONS} == {server.name for server in proxy.SERVERS}


@pytest.fixture
def no_servers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(proxy, "MORE_FOLDERS", ())


@pytest.mark.usefixtures("no_servers")
def test_a_server_that_is_missing_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert proxies.main([]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{name} is not installed: its configurations are left out" for name in ("nginx", "haproxy", "squid")
    ]
    assert proxies.main(["--quick", "squid"]) == 0
    assert capsys.readouterr().out == "squid is not installed: its configurations are left out\n"


@pytest.mark.usefixtures("no_servers")
def test_a_server_that_does_not_start_is_said_and_is_no_success(
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
