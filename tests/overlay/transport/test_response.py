"""A response that names a task is a task, however odd the rest of it is."""

import gzip
import json
from typing import Any

import httpx
import pytest

from tests.conftest import Connect, every_engine
from tests.servers.raw import TASK, RawServer, head, http
from wavespeed_client import SubmissionUncertainError, UnexpectedResponseError
from wavespeed_client.transport.response import WholeResponse

pytestmark = pytest.mark.promise("named-task", "lost-response")

engine = every_engine


def repeating(prompt: bytes) -> bytes:
    """Return the body of a response that repeats the input, with these bytes as its prompt."""
    return b'{"code": 200, "data": {"id": "abc", "status": "created", "input": {"prompt": "' + prompt + b'"}}}'


@pytest.mark.parametrize(
    "body",
    [
        repeating(b"caf\xe9"),
        repeating(b"a\nb\tc\x00"),
        repeating(b"\xed\xa0\x80"),
        TASK.replace(b'"created"', b'"created", "seed": ' + b"9" * 5000),
        TASK.replace(b'"created"', b'"created", "seed": NaN'),
        TASK + b"\n<!-- served by a gateway -->",
        b"  \r\n" + TASK,
        b"\xef\xbb\xbf" + TASK + b"\xff",
        b"\xef\xbb\xbf" * 2 + TASK,
        TASK.decode().encode("utf-16") + b"\x00",
        TASK.replace(b'"created"', b'"created", "executionTime": 1' + b"0" * 400),
    ],
    ids=["latin-1", "control", "surrogate", "digits", "NaN", "text after", "space", "mark", "marks", "utf-16", "huge"],
)
def test_an_odd_body_does_not_lose_its_task(connect: Connect, raw_server: RawServer, body: bytes) -> None:
    raw_server.responses += [http(200, body)] * 2
    ws = connect(base_url=raw_server.url)
    assert ws.submit("a/b").id == "abc"
    assert ws.get("abc").id == "abc"


@pytest.mark.parametrize("cut", [0, 1, 20, len(TASK) - 1, len(TASK)])
def test_all_members_of_a_compressed_body_are_read(connect: Connect, raw_server: RawServer, cut: int) -> None:
    body = gzip.compress(TASK[:cut]) + gzip.compress(TASK[cut:])
    raw_server.responses += [http(200, body, "Content-Encoding: gzip")]
    assert connect(base_url=raw_server.url).submit("a/b").id == "abc"


@pytest.mark.parametrize("rest", [b"\x00" * 8, b"\r\n", b"spare"])
def test_bytes_after_a_compressed_body_are_ignored(connect: Connect, raw_server: RawServer, rest: bytes) -> None:
    raw_server.responses += [http(200, gzip.compress(TASK) + rest, "Content-Encoding: gzip")]
    assert connect(base_url=raw_server.url).submit("a/b").id == "abc"


def test_long_headers_lose_no_task(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses += [http(200, TASK, f"Set-Cookie: session={'x' * 50_000}")]
    assert connect(base_url=raw_server.url).submit("a/b").id == "abc"


@pytest.mark.parametrize("mark", [b"", b"\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "utf-8", "none", "br", "gzip, gzip", "binary"])
def test_a_content_encoding_that_was_not_applied_is_ignored(
    connect: Connect, raw_server: RawServer, encoding: str, mark: bytes
) -> None:
    raw_server.responses += [http(200, mark + TASK, f"Content-Encoding: {encoding}")]
    assert connect(base_url=raw_server.url).submit("a/b").id == "abc"


@pytest.mark.parametrize("encoding", ["br", "binary", "gzip"])
@pytest.mark.parametrize("blanks", [[b"\n"], [b" ", b"\r\n"], [b"\xef", b"\xbb\xbf"]])
def test_blanks_before_a_response_do_not_decide_how_it_is_decoded(
    connect: Connect, raw_server: RawServer, encoding: str, blanks: list[bytes]
) -> None:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*blanks, TASK, b""))
    raw_server.responses += [
        head(200, "Content-Type: application/json", f"Content-Encoding: {encoding}", "Transfer-Encoding: chunked")
        + chunks
    ]
    assert connect(base_url=raw_server.url).submit("a/b").id == "abc"


@pytest.mark.parametrize(
    "headers",
    [[], ["Content-Encoding: identity"], ["Content-Encoding: gzip"] * 2, ["Content-Encoding: gzip, identity"]],
)
def test_a_compressed_body_is_recognized_by_its_first_byte(
    connect: Connect, raw_server: RawServer, headers: list[str]
) -> None:
    raw_server.responses += [http(200, gzip.compress(TASK), *headers)]
    assert connect(base_url=raw_server.url).submit("a/b").id == "abc"


def test_a_compressed_body_without_its_end_names_its_task(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses += [http(200, gzip.compress(TASK)[:-4], "Content-Encoding: gzip")]
    with pytest.raises(SubmissionUncertainError) as caught:
        connect(base_url=raw_server.url).submit("a/b")
    assert caught.value.task_id == "abc"


@pytest.mark.parametrize("charset", ["utf-16", "hex", "base64", "zlib", "rot13", "idna", "undefined", "nonsense"])
def test_the_charset_of_a_response_is_ignored(connect: Connect, raw_server: RawServer, charset: str) -> None:
    broken = b'{"code": 200, "data": [1]}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=%s\r\nConnection: close\r\n\r\n"
    raw_server.responses += [head % charset.encode() + body for body in (broken, broken, TASK)]
    ws = connect(base_url=raw_server.url, max_retries=0)
    with pytest.raises(SubmissionUncertainError):
        ws.submit("a/b")
    with pytest.raises(UnexpectedResponseError):
        ws.get("abc")
    assert ws.submit("a/b").id == "abc"


def test_a_code_without_a_message_is_no_refusal(connect: Connect, raw_server: RawServer) -> None:
    raw_server.responses += [http(200, b'{"code": 429}'), http(200, TASK)]
    with pytest.raises(SubmissionUncertainError):
        connect(base_url=raw_server.url).submit("a/b")
    assert len(raw_server.requests) == 1


def test_a_broken_response_does_not_name_a_task_that_was_received_before(
    connect: Connect, raw_server: RawServer
) -> None:
    raw_server.responses += [http(200, TASK), http(200, TASK + b" ")[:-1], http(500, TASK)]
    ws = connect(base_url=raw_server.url)
    assert ws.submit("a/b").id == "abc"
    for _ in range(2):
        with pytest.raises(SubmissionUncertainError) as caught:
            ws.submit("a/b")
        assert caught.value.task_id is None


@pytest.mark.parametrize("status", [201, 202, 203, 226])
def test_any_2xx_response_with_a_task_is_a_task(connect: Connect, raw_server: RawServer, status: int) -> None:
    raw_server.responses += [http(status, TASK)] * 2
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
def test_a_response_that_breaks_off_names_its_task_if_its_json_is_whole(
    connect: Connect, raw_server: RawServer, sent: bytes, task_id: str | None
) -> None:
    raw_server.responses.append(sent)
    with pytest.raises(SubmissionUncertainError) as caught:
        connect(base_url=raw_server.url).submit("a/b")
    assert caught.value.task_id == task_id


@pytest.mark.parametrize(
    "body", [{"id": "abc"}, {"data": {"input": {"id": "abc"}}}, {"data": [{"id": "abc"}]}, {"data": {"id": "a b"}}]
)
def test_an_id_anywhere_else_names_no_task(body: dict[str, Any]) -> None:
    assert WholeResponse(httpx.Response(200), json.dumps(body).encode()).task_id is None


def test_a_whole_response_behaves_like_a_response_that_was_read() -> None:
    theirs = httpx.Response(200, headers={"X-A": "1"}, extensions={"reason_phrase": b"Fine"})
    whole = WholeResponse(theirs, b'{"a": 1}\n{"b": 2}')
    assert (whole.content, whole.read(), whole.is_closed) == (b'{"a": 1}\n{"b": 2}',) * 2 + (True,)
    assert list(whole.iter_lines()) == ['{"a": 1}', '{"b": 2}']
    assert (whole.reason_phrase, whole.headers["X-A"], whole.json()) == ("Fine", "1", {"a": 1})
