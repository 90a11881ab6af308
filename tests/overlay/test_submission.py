"""What may be submitted, what counts as a submission, and which answers refuse one."""

import pickle
from types import MappingProxyType
from typing import Any

import pytest

from tests.conftest import Driven
from wavespeed_client import InvalidInputError, InvalidModelError, TaskInput
from wavespeed_client.submission import (
    RESERVED_WORDS,
    answers_late,
    checked_input,
    checked_webhook,
    is_refusal,
    is_submission,
    split_model,
)
from wavespeed_client.testing import FakeWaveSpeed

BAD_MODELS: list[Any] = [
    "",
    "flux-dev",
    "a/b/c/d",
    "/a/b",
    "a/b/",
    "a//b",
    "a/..",
    "../a",
    "a/./b",
    "a/-b",
    "a/b?webhook=x",
    "a/b#c",
    "a/b%2Fc",
    "a/b c",
    " a/b",
    "a/b\n",
    "ä/b",
    "a\\b",
    "https://api.wavespeed.ai/api/v3/a/b",
    "a/" + "b" * 70_000,
    None,
    5,
    *(f"{word}/b" for word in sorted(RESERVED_WORDS)),
]


@pytest.mark.parametrize("model", BAD_MODELS)
def test_bad_model_ids_are_refused_before_anything_is_sent(ws: Driven, fake: FakeWaveSpeed, model: Any) -> None:
    for verb in (ws.submit, ws.run):
        with pytest.raises(InvalidModelError) as caught:
            verb(model, {"prompt": "a cat"})
        assert isinstance(caught.value, ValueError)
    assert fake.requests == []


@pytest.mark.parametrize(
    ("model", "segments"),
    [("a/b", ("a", "b", None)), ("A1/b.c_d-e/2.0", ("A1", "b.c_d-e", "2.0")), ("x/models", ("x", "models", None))],
)
def test_good_model_ids_are_split(model: str, segments: tuple[str, str, str | None]) -> None:
    assert split_model(model) == segments


def deep() -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(100_000):
        value = {"a": value}
    return value


def circular() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


@pytest.mark.parametrize(
    "given",
    [
        "prompt",
        b"prompt",
        5,
        ["prompt"],
        "",
        [],
        [("prompt", "a cat")],
        {"ab"},
        iter([]),
        {1: "a"},
        {"a": {1, 2}},
        {"a": object()},
        {"a": float("nan")},
        {"a": [float("-inf")]},
        {"a": b"bytes"},
        {"a": "\ud800"},
        circular(),
        deep(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_bad_inputs_are_refused_before_anything_is_sent(ws: Driven, fake: FakeWaveSpeed, given: Any) -> None:
    for verb in (ws.submit, ws.run):
        with pytest.raises(InvalidInputError):
            verb("a/b", given)
    assert fake.requests == []


def test_any_mapping_will_do_and_is_left_alone() -> None:
    given = MappingProxyType({"prompt": "a cat", "more": {"x": (1, 2)}})
    assert checked_input(given).to_dict() == dict(given)
    typed = TaskInput(prompt="a cat")
    assert checked_input(pickle.loads(pickle.dumps(typed))).to_dict() == {"prompt": "a cat"}


@pytest.mark.parametrize(
    "webhook",
    [
        "",
        "example.com",
        "ftp://example.com",
        "https://",
        "https://a b",
        "https://[",
        "https://e.com/" + "x" * 70_000,
        5,
    ],
)
def test_bad_webhooks_are_refused_before_anything_is_sent(ws: Driven, fake: FakeWaveSpeed, webhook: Any) -> None:
    with pytest.raises(InvalidInputError, match="webhook"):
        ws.submit("a/b", {}, webhook=webhook)
    assert fake.requests == []


def test_good_webhooks_pass_unchanged() -> None:
    for webhook in ("https://example.com/hook?a=b%20c", "http://127.0.0.1:8000/"):
        assert checked_webhook(webhook) == webhook


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/api/v3/a/b", True),
        ("POST", "/api/v3/a/b/c", True),
        ("POST", "/api/v3/predictions%2Fx", True),
        ("POST", "/elsewhere", True),
        ("POST", "/api/v3/unheard/of/path/of/five", True),
        ("POST", "/api/v3/predictions/delete", False),
        ("POST", "/api/v3/predictions", False),
        ("POST", "/api/v3/model/price", False),
        ("GET", "/api/v3/predictions/abc/result", False),
        ("GET", "/api/v3/a/b", False),
    ],
)
def test_method_and_path_tell_a_submission(method: str, path: str, expected: bool) -> None:
    assert is_submission(method, path) is expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        *((status, b"<html>", True) for status in (400, 401, 402, 403, 404, 413, 422, 429)),
        (500, b'{"code": 500, "message": "no"}', True),
        (500, b'{"code": 500}', False),
        (500, b'{"code": 502, "message": "no"}', False),
        (500, b"<html>", False),
        *((status, b'{"code": 503, "message": "no"}', False) for status in (204, 302, 408, 499, 502, 503, 504, 520)),
    ],
)
def test_refusals_are_the_answers_that_prove_that_nothing_was_started(status: int, body: bytes, expected: bool) -> None:
    assert is_refusal(status, body) is expected


def test_sync_mode_is_seen_in_the_body() -> None:
    assert answers_late(b'{"enable_sync_mode": true}')
    for body in (b'{"enable_sync_mode": false}', b'{"prompt": "enable_sync_mode"}', b"{}", b"enable_sync_mode"):
        assert not answers_late(body)
