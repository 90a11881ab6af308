"""What may be submitted: model ids, inputs and webhooks, checked before anything is sent."""

import pickle
from types import MappingProxyType
from typing import Any

import pytest

from tests.conftest import Driven
from wavespeed_client import InvalidInputError, InvalidModelError, TaskInput
from wavespeed_client.arguments import RESERVED_WORDS, checked_webhook, input_fields, split_model
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


FLUX = "wavespeed-ai/flux-dev"


@pytest.mark.parametrize(
    "given",
    [
        f"https://wavespeed.ai/models/{FLUX}",
        f"https://wavespeed.ai/models/{FLUX}/",
        f"https://wavespeed.ai/models/{FLUX}?tab=api&ref=x#json",
        f"https://wavespeed.ai/models/{FLUX}/playground",
        f"https://wavespeed.ai/docs/docs-api/{FLUX}",
        f"https://www.wavespeed.ai/docs/models/{FLUX}",
        f"HTTPS://WaveSpeed.AI/en/models/{FLUX.replace('/', '%2F')}",
        f"wavespeed.ai/models/{FLUX}",
        f"//api.wavespeed.ai:443/api/v3/{FLUX}",
        f"/models/{FLUX}",
        f"models/{FLUX}",
        f" {FLUX}/\n",
        f"{FLUX}?webhook=https://example.com",
    ],
)
def test_the_id_within_a_models_url_is_named(ws: Driven, fake: FakeWaveSpeed, given: str) -> None:
    for verb in (ws.submit, ws.run, ws.price):
        with pytest.raises(InvalidModelError, match=f"^Pass '{FLUX}' as the model id, not "):
            verb(given)
    assert fake.requests == []


@pytest.mark.parametrize(
    "given",
    [
        "https://wavespeed.ai/docs",
        "https://wavespeed.ai/models",
        "https://wavespeed.ai/blog/new/models",
        "https://wavespeed.ai/models/a/b/c/d",
        "https://wavespeed.ai/models/a/b/stream",
        "https://api.wavespeed.ai/api/v3/predictions/abc/result",
        "https://example.com/models/a/b",
        "https://wavespeed.ai.example.com/models/a/b",
    ],
)
def test_no_id_is_made_up_for_a_url_that_holds_none(given: str) -> None:
    with pytest.raises(InvalidModelError, match=r"^A model id is provider/model"):
        split_model(given)


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
    assert input_fields(given) == dict(given)
    typed = TaskInput(prompt="a cat")
    assert input_fields(pickle.loads(pickle.dumps(typed))) == {"prompt": "a cat"}


@pytest.mark.parametrize(
    "webhook",
    [
        "",
        "example.com",
        "ftp://example.com",
        "https://",
        "https://a b",
        "https://[",
        "https://e.com:99999",
        "https://e.com\\hook",
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
