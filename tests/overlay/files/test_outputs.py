"""What an output is saved as, decided by its text alone."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavespeed_client import InvalidInputError, Task
from wavespeed_client.files.outputs import Inline, contained
from wavespeed_client.media.kinds import ending_for

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
ENCODED = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    "text",
    [
        ENCODED,
        f"\n {ENCODED}\n",
        base64.encodebytes(PNG).decode(),
        base64.encodebytes(PNG).decode().replace("\n", "\r\n"),
        " ".join(ENCODED[begin : begin + 64] for begin in range(0, len(ENCODED), 64)),
    ],
)
def test_base64_is_decoded_however_it_is_wrapped(text: str) -> None:
    assert contained(text) == Inline(PNG)


@pytest.mark.parametrize(
    ("text", "content", "ending"),
    [
        (f"data:image/png;base64,{ENCODED}", PNG, ".png"),
        (f" DATA:image/jpg;charset=x;BASE64,{base64.encodebytes(PNG).decode()}", PNG, ".jpeg"),
        (f"data:;base64,{ENCODED}", PNG, ""),
        (f"data:image/svg+xml,{quote('<svg/>')}", b"<svg/>", ".svg"),
        ("data:,a%20cat", b"a cat", ".txt"),
        ("data:text/html,<script>alert(1)</script>", b"<script>alert(1)</script>", ".txt"),
        ("data:text/html;base64,PHNjcmlwdD4=", b"<script>", ".txt"),
    ],
)
def test_data_uris_are_decoded(text: str, content: bytes, ending: str) -> None:
    found = contained(text)
    assert found is not None
    assert found.content == content
    assert ending_for(found.content_type) == ending


@given(st.binary(min_size=120))
def test_long_base64_of_any_bytes_is_decoded(content: bytes) -> None:
    text = base64.b64encode(hashlib.sha512(content).digest() + content).decode()
    assert contained(text) == Inline(base64.b64decode(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cats",
        "true",
        "12345678",
        "A cat on a mat",
        "Hello\nWorld\n",
        "  kept as it is \n",
        "abcdefghijklmnopqrstuvwxyz012345",
        hashlib.sha256(b"").hexdigest(),
        "0190d0f6-1c5b-7e0e-8f0a-3b2f4d5e6a7b",
        "Scene 1 shows 42 CATS and 12 dogs, fine",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ftp://example.com/a.png",
        "https://",
        "https://example.com is a page",
        "https://example.com/a\nhttps://example.com/b",
        "<script>alert(1)</script>",
        "data:image/png;base64,no base64!",
        "data:image/png;base64",
        "data: cats, dogs",
        "data:base64,iVBORw0KGgo=",
        "\u65e5\u672c",
    ],
)
def test_other_text_stays_unchanged(text: str) -> None:
    assert contained(text) == Inline(text.encode(), "text/plain")
    assert Task(id="a", model="a/b", status="completed", outputs=(text,)).urls == ()


@pytest.mark.parametrize(
    "url",
    [
        "https://e.com/1.png",
        "HTTP://e.com",
        " https://e.com/a?b#c\n",
        "https://e.com/a b.png",
        "http://[::1]:80/\u00e4",
    ],
)
def test_urls_are_fetched(url: str) -> None:
    assert contained(url) is None
    task = Task(id="a", model="a/b", status="completed", outputs=("text", {"url": "https://e.com"}, url))
    assert task.urls == (url.strip(),)


@pytest.mark.parametrize("output", [{}, {"a": 1, "b": [None, "\u00e9\n", {"c": 1.5}]}, {"half": "\ud800"}])
def test_objects_become_json(output: dict[str, Any]) -> None:
    found = contained(output)
    assert found is not None
    assert found.content_type == "application/json"
    assert json.loads(found.content) == output


def test_half_a_surrogate_pair_stays_visible() -> None:
    assert contained("a \ud800 b") == Inline(b"a \\ud800 b", "text/plain")


def test_an_output_that_json_cannot_hold_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["a"] = endless
    for output in ({"a": object()}, endless, {"a": 10**5000}):
        with pytest.raises(InvalidInputError, match="cannot be written as JSON"):
            contained(output)
