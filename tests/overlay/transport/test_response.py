"""A response that names a task is a task, however oddly the rest of it is written."""

import gzip
import json
from typing import Any

import httpx
import pytest

from tests.conftest import TASK, Connect, RawServer, every_engine, http
from wavespeed_client import SubmissionUncertainError
from wavespeed_client.transport.response import WholeResponse

pytestmark = pytest.mark.promise("named-task", "lost-answer")

engine = every_engine


def told(prompt: bytes) -> bytes:
    """A response that repeats the input, as these bytes."""
    return b'{"code": 200, "data": {"id": "abc", "status": "created", "input": {"prompt": "' + prompt + b'"}}}'


@pytest.mark.parametrize(
    "body",
    [
        told(b"caf\xe9"),
        told(b"a\nb\tc\x00"),
        told(b"\xed\xa0\x80"),
        TASK.replace(b'"created"', b'"created", "seed": ' + b"9" * 5000),
        TASK.replace(b'"created"', b'"created", "seed": NaN'),
        TASK + b"\n<!-- served by a gateway -->",
        b"  \r\n" + TASK,
        b"\xef\xbb\xbf" + TASK + b"\xff",
    ],
    ids=["latin-1", "control characters", "half a character", "digits", "NaN", "text after", "space", "mark and text"],
)
def test_an_odd_body_does_not_lose_its_task(connect: Connect, raw_server: RawServer, body: bytes) -> None:
    raw_server.answers += [http(200, body)] * 2
    ws = connect(base_url=raw_server.url)
    assert ws.submit("a/b").id == "abc"
    assert ws.get("abc").id == "abc"


@pytest.mark.parametrize("cut", [0, 1, 20, len(TASK) - 1, len(TASK)])
def test_all_members_of_a_compressed_body_are_read(connect: Connect, raw_server: RawServer, cut: int) -> None:
    body = gzip.compress(TASK[:cut]) + gzip.compress(TASK[cut:])
    raw_server.answers += [http(200, body, "Content-Encoding: gzip")]
    assert connect(base_url=raw_server.url).submit("a/b").id == "abc"


@pytest.mark.parametrize("status", [201, 202, 203, 226])
def test_any_success_with_a_task_is_one(connect: Connect, raw_server: RawServer, status: int) -> None:
    raw_server.answers += [http(status, TASK)] * 2
    ws = connect(base_url=raw_server.url)
    assert ws.submit("a/b").id == "abc"
    assert ws.get("abc").id == "abc"


@pytest.mark.parametrize(
    ("sent", "task_id"),
    [
        (http(200, TASK + b" " * 50)[:-50], "abc"),
        (http(200, TASK)[:-5], None),
        (http(200, b'{"input": {"id": "not-this"}, "data": {"id": "abc"}}')[:-5], None),
    ],
)
def test_a_response_that_breaks_off_tells_its_task_if_its_json_is_whole(
    connect: Connect, raw_server: RawServer, sent: bytes, task_id: str | None
) -> None:
    raw_server.answers.append(sent)
    with pytest.raises(SubmissionUncertainError) as caught:
        connect(base_url=raw_server.url).submit("a/b")
    assert caught.value.task_id == task_id


@pytest.mark.parametrize(
    "answer", [{"id": "abc"}, {"data": {"input": {"id": "abc"}}}, {"data": [{"id": "abc"}]}, {"data": {"id": "a b"}}]
)
def test_an_id_anywhere_else_names_no_task(answer: dict[str, Any]) -> None:
    assert WholeResponse(httpx.Response(200), json.dumps(answer).encode()).task_id is None


def test_it_is_a_response_that_was_read() -> None:
    theirs = httpx.Response(200, headers={"X-A": "1"}, extensions={"reason_phrase": b"Fine"})
    whole = WholeResponse(theirs, b'{"a": 1}\n{"b": 2}')
    assert (whole.content, whole.read(), whole.is_closed) == (b'{"a": 1}\n{"b": 2}',) * 2 + (True,)
    assert list(whole.iter_lines()) == ['{"a": 1}', '{"b": 2}']
    assert (whole.reason_phrase, whole.headers["X-A"], whole.json()) == ("Fine", "1", {"a": 1})
