"""Inputs checked against a lock: what fits, how the rest is refused, and what the stand-in says about the models."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.overlay.typed.models import MODELS, PAINT
from tests.overlay.typed.page import FLUX, VIOLATION
from tests.overlay.typed.schemas import hostile

from wavespeed_client import BadRequestError, InvalidInputError, NotFoundError, WaveSpeed
from wavespeed_client.catalogue.schema import facts_of
from wavespeed_client.testing import Contract, FakeWaveSpeed
from wavespeed_client.testing.inputs import Inputs
from wavespeed_client.typed.__main__ import main
from wavespeed_client.typed.lock import Lock, read_lock
from wavespeed_client.typed.update import catalogue_of

PAINTER = "acme/paint-2.1/fast"


@pytest.fixture
def stand_in(contract: Contract) -> Iterator[FakeWaveSpeed]:
    """A stand-in for one test, since loaded models survive a reset."""
    with FakeWaveSpeed(contract=contract) as fake:
        yield fake


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return written(tmp_path, MODELS)


def written(folder: Path, models: dict[str, Any]) -> Path:
    """Write a lock, as the command does; return its path."""
    facts = {model: facts_of(schema) or {} for model, schema in models.items()}
    path = folder / "models.lock.json"
    path.write_text(Lock(facts).text(), "utf-8")
    return path


def faults(schema: Any, input: dict[str, Any]) -> list[str]:
    """Return what is wrong with an input of a model with this schema, read again from a lock."""
    facts = facts_of(json.loads(json.dumps(facts_of(schema))))
    assert facts is not None
    inputs = Inputs()
    inputs.load({"a/b": facts})
    return list(inputs.faults("a/b", input))


def one(schema: Any, value: Any) -> list[str]:
    """Return what is wrong with a value of a field with this schema."""
    return faults({"properties": {"p": schema}}, {"p": value})


WHOLE = {
    "prompt": "A cat",
    "image": "https://example.com/1.png",
    "images": ["https://example.com/1.png", "data:image/png;base64,AAAA"],
    "size": "1280*720",
    "steps": 8,
    "seed": -1,
    "strength": 1,
    "loras": [{"path": "https://example.com/l", "scale": 0.5, "kind": "low"}],
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, None),
        ({"prompt": None}, "prompt None is not of type 'string'"),
        ({"size": "huge"}, "size 'huge' is not one of ['1024*1024', '1280*720']"),
        ({"steps": 5}, "steps 5 is not one of [4, 8]"),
        ({"seed": 1.5}, "seed 1.5 is not of type 'integer'"),
        ({"seed": True}, "seed True is not of type 'integer'"),
        ({"seed": -2}, "seed -2 is less than the minimum of -1"),
        ({"seed": 7.0}, None),
        ({"strength": 1.1}, "strength 1.1 is greater than the maximum of 1"),
        ({"images": ["x"] * 4}, "images ['x', 'x', 'x', 'x'] is too long"),
        ({"images": "https://example.com/1.png"}, "images 'https://example.com/1.png' is not of type 'array'"),
        ({"loras": [{"path": "x", "scale": 9}]}, "loras/0/scale 9 is greater than the maximum of 4"),
        ({"loras": [{"scale": 1}]}, "loras/0 'path' is a required property"),
        ({"promt": "A cat"}, "('promt' was unexpected) (known: enable_safety_checker, image, images, "),
    ],
)
def test_each_fault_names_the_field_and_what_is_allowed(change: dict[str, Any], message: str | None) -> None:
    found = faults(PAINT, WHOLE | change)
    if message is None:
        assert found == []
    else:
        assert len(found) == 1
        assert message in found[0]


def test_every_fault_is_reported() -> None:
    found = faults(PAINT, {"size": "huge", "seed": "x"})
    assert sorted(found) == [
        "'prompt' is a required property",
        "seed 'x' is not of type 'integer'",
        "size 'huge' is not one of ['1024*1024', '1280*720']",
    ]


EITHER = {"properties": {"url": {"type": "string"}, "text": {"type": "string"}}}
MODE: dict[str, Any] = {
    "additionalProperties": False,
    "properties": {"mode": {"type": "string", "enum": ["still", "video"]}, "size": {"type": "string"}},
    "allOf": [
        {
            "if": {"properties": {"mode": {"const": "video"}}, "required": ["mode"]},
            "then": {"required": ["seconds"], "properties": {"seconds": {"enum": [5, 10]}}},
            "else": {"properties": {"size": {"enum": ["small"]}}},
        },
        {"not": {"required": ["size", "seconds"]}},
    ],
}


@pytest.mark.parametrize(
    ("schema", "input", "expected"),
    [
        (MODE, {"mode": "video", "seconds": 5}, []),
        (MODE, {"mode": "video"}, ["'seconds' is a required property"]),
        (MODE, {"mode": "video", "seconds": 7}, ["seconds 7 is not one of [5, 10]"]),
        (MODE, {"mode": "still", "size": "large"}, ["size 'large' is not one of ['small']"]),
        (MODE, {"size": "small"}, []),
        (
            MODE,
            {"mode": "video", "seconds": 5, "size": "small"},
            [
                "{'mode': 'video', 'seconds': 5, 'size': 'small'} should not be valid under "
                "{'required': ['seconds', 'size']}"
            ],
        ),
        (EITHER | {"oneOf": [{"required": ["url"]}, {"required": ["text"]}]}, {"url": "x"}, []),
        (
            EITHER | {"anyOf": [{"required": ["url"]}, {"required": ["text"]}]},
            {},
            [
                "{} is not valid under any of the given schemas "
                "('url' is a required property; 'text' is a required property)"
            ],
        ),
        (
            EITHER | {"oneOf": [{"required": ["url"]}, {"required": ["text"]}]},
            {"url": "x", "text": "y"},
            ["{'url': 'x', 'text': 'y'} is valid under each of {'required': ['text']}, {'required': ['url']}"],
        ),
        (EITHER | {"dependencies": {"url": ["text"]}}, {"url": "x"}, ["'text' is a dependency of 'url'"]),
        (
            EITHER | {"dependencies": {"url": {"properties": {"text": {"const": "y"}}}}},
            {"url": "x", "text": "z"},
            ["text 'y' was expected"],
        ),
        (EITHER | {"dependencies": {"url": ["text"]}}, {"text": "x"}, []),
        ({"minProperties": 1}, {}, ["{} should be non-empty"]),
        ({"additionalProperties": {"type": "integer"}}, {"a": "x"}, ["a 'x' is not of type 'integer'"]),
    ],
)
def test_rules_between_fields_are_judged(schema: Any, input: dict[str, Any], expected: list[str]) -> None:
    assert faults(schema, input) == expected


@pytest.mark.parametrize(
    ("schema", "taken", "refused"),
    [
        ({"type": ["string", "null"]}, ["x", None], [3]),
        ({"type": "string", "nullable": True, "enum": ["a"]}, ["a", None], ["b"]),
        ({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}, ["x", ["x"]], [3, [3]]),
        ({"oneOf": [{"type": "string", "maxLength": 2}, {"type": "integer"}]}, ["x", 3], ["xyz", 1.5]),
        ({"allOf": [{"$ref": "#/definitions/none"}]}, [1, "x", None], []),
        ({"enum": [1, "a", None]}, [1, "a", None], [2]),
        ({"const": {"$ref": "x"}}, [{"$ref": "x"}], [{}]),
        ({"type": "integer", "minimum": 0.1}, [1], [0]),
        ({"type": "number", "multipleOf": 0.1}, [0.3, 0.7, 3, 1e20], [0.35, float("inf")]),
        ({"type": "integer", "multipleOf": 8}, [16, 16.0], [20]),
        ({"type": "number", "multipleOf": 0}, [0.3], ["x"]),
        ({"type": "string", "maxlength": 1}, ["long"], []),
        ({"type": "string", "pattern": "^a+$"}, ["aa"], ["b"]),
        ({"type": "string", "format": "uri"}, ["https://e.com/1.png", "data:image/png;base64,A"], ["cat.png"]),
        # Rules that Python cannot read, and rules that refuse only what they do not match.
        ({"type": "string", "pattern": r"\p{L}(?<x>"}, ["x", ""], [3]),
        ({"type": "string", "pattern": "a{99999999999}"}, ["x"], [3]),
        ({"not": {"type": "picture"}}, ["x", 3], []),
        ({"not": {"pattern": "(?<x>"}}, ["x", 3], []),
        ({"not": {"type": "string", "pattern": "(?<x>"}}, ["x", 3], []),
        ({"not": {"type": "string"}}, [3], ["x"]),
        ({"oneOf": [{"type": "string"}, {"$ref": "#/nowhere"}]}, ["x", 3], []),
        ({"oneOf": [{"type": "string"}, {"type": "string", "pattern": "(?<x>"}]}, ["x"], []),
        ({"if": {"pattern": "(?<x>"}, "then": {"const": 1}, "else": {"const": 2}}, [1, 2, 3], []),
        ({"if": {"type": "string"}, "then": {"maxLength": 1}}, ["x", 3], ["xy"]),
        ({"type": "object", "patternProperties": {"^a": {"type": "integer"}}}, [{"a": 1, "b": "x"}], [{"a": "x"}]),
        ({"type": "object", "patternProperties": {"(?<x>": {}}, "additionalProperties": False}, [{"a": 1}], [3]),
        ({"type": "object", "dependentRequired": {"a": []}, "dependentSchemas": {"a": ["b"]}}, [{"a": 1}], [3]),
        ({"type": "array", "items": [{"type": "string"}]}, [[3]], ["x"]),
        ({"type": "array", "items": False}, [[3]], ["x"]),
        ({"type": "array", "uniqueItems": True}, [[1, 2]], [[1, 1]]),
        (True, [1, "x"], []),
    ],
)
def test_unions_and_odd_schemas_refuse_only_what_they_exclude(
    schema: Any, taken: list[Any], refused: list[Any]
) -> None:
    assert [(value, one(schema, value)) for value in taken if one(schema, value)] == []
    assert [value for value in refused if not one(schema, value)] == []


@pytest.mark.parametrize("branch", [{"required": ["more"], "properties": {"more": {"type": "integer"}}}, {}])
def test_fields_that_only_a_rule_names_are_known(branch: Any) -> None:
    schema = {"additionalProperties": False, "properties": {"a": {}}, "anyOf": [branch, {"required": ["a"]}]}
    assert faults(schema, {"a": 1}) == []
    if branch:
        assert faults(schema, {"more": 1}) == []
        assert faults(schema, {"a": 1, "other": 1})


def test_random_schemas_never_break_the_judge_of_inputs() -> None:
    chance = random.Random(11)
    values: list[Any] = ["", "a", 1, 0.5, True, None, [], ["a", 1], {}, {"a": {"b": 1}}]
    for _ in range(300):
        schema = {"type": "object", "properties": {"p": hostile(chance), "q": hostile(chance)}, **hostile(chance)}
        facts = facts_of(schema)
        if facts is not None:
            inputs = Inputs()
            inputs.load({"a/b": facts})
            for value in values:
                assert all(isinstance(fault, str) for fault in inputs.faults("a/b", {"p": value, "q": value}))


# Through the stand-in


def test_a_wrong_input_is_a_bad_request_and_a_violation(stand_in: FakeWaveSpeed, lock: Path) -> None:
    stand_in.load(lock)
    message = f"POST /api/v3/{PAINTER}: size 'huge' is not one of ['1024*1024', '1280*720']"
    with stand_in.client() as ws:
        with pytest.raises(BadRequestError, match="size 'huge' is not one of"):
            ws.submit(PAINTER, {"prompt": "A cat", "size": "huge"})
        ws.submit(PAINTER, {"prompt": "A cat", "size": "1280*720"})
        ws.submit("wavespeed-ai/flux-dev", {"anything": 1})
        ws.submit("not/loaded", {"anything": 1})
    assert stand_in.violations == [message]
    assert [call.input for call in stand_in.calls] == [
        {"prompt": "A cat", "size": "1280*720"},
        {"anything": 1},
        {"anything": 1},
    ]


def test_the_page_quotes_a_violation_word_for_word(stand_in: FakeWaveSpeed, tmp_path: Path) -> None:
    model = "wavespeed-ai/flux-dev"
    stand_in.load(written(tmp_path, {model: FLUX}))
    with stand_in.client() as ws, pytest.raises(BadRequestError):
        ws.submit(model, {"prompt": "A cat", "size": "huge"})
    assert [f"{violation}\n" for violation in stand_in.violations] == [VIOLATION]


def test_files_have_become_urls_before_an_input_is_judged(stand_in: FakeWaveSpeed, lock: Path) -> None:
    stand_in.load(str(lock))
    (lock.parent / "cat.png").write_bytes(b"a picture")
    with stand_in.client() as ws:
        picture = lock.parent / "cat.png"
        assert ws.run(PAINTER, {"prompt": "A cat", "image": picture, "images": [picture]}).succeeded
    assert stand_in.violations == []
    assert stand_in.calls[0].input["image"].startswith(stand_in.url)


def test_the_contract_alone_judges_webhooks_streams_and_the_body(stand_in: FakeWaveSpeed, lock: Path) -> None:
    stand_in.load(lock)
    hook = "https://example.com/hook"
    with stand_in.client() as ws:
        ws.submit(PAINTER, {"prompt": "A cat"}, webhook=hook)
        ws.submit(PAINTER, {"prompt": "A cat", "webhook_url": hook, "stream": False})
        assert stand_in.violations == []
        assert [delivery.url for delivery in stand_in.wait_for_deliveries()] == [hook, hook]
        with pytest.raises(BadRequestError, match="webhook_url 5 is not of type 'string'"):
            ws.submit(PAINTER, {"prompt": "A cat", "webhook_url": 5})
        with pytest.raises(BadRequestError, match="enable_sync_mode"):
            ws.submit(PAINTER, {"prompt": "A cat", "enable_sync_mode": True})
    assert len(stand_in.violations) == 2


def test_models_and_prices_are_those_of_the_lock(stand_in: FakeWaveSpeed, lock: Path) -> None:
    stand_in.load(lock)
    with stand_in.client() as ws:
        found = {model.model_id: model for model in ws.models()}
        assert set(found) == {*MODELS, "wavespeed-ai/flux-dev", "wavespeed-ai/z-image/turbo"}
        assert catalogue_of([found[model].raw for model in MODELS]) == read_lock(lock).models
        assert ws.price(PAINTER, {"size": "1280*720"}).discounted_price > 0
        assert [each.name for each in ws.model(PAINTER).inputs if each.is_file] == ["image", "images"]
        assert ws.model("wavespeed-ai/flux-dev").inputs[0].name == "prompt"
    assert stand_in.violations == []


def test_the_command_writes_the_same_lock_by_the_stand_in(
    stand_in: FakeWaveSpeed, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.load(lock)
    monkeypatch.setenv("WAVESPEED_API_KEY", stand_in.api_key)
    monkeypatch.setenv("WAVESPEED_BASE_URL", stand_in.url)
    again = lock.parent / "again.py"
    monkeypatch.setattr("sys.argv", ["typed", str(again), *MODELS])
    assert main() == 0
    assert again.with_suffix(".lock.json").read_text("utf-8") == lock.read_text("utf-8")


def test_load_with_only_makes_other_models_unknown(stand_in: FakeWaveSpeed, lock: Path) -> None:
    stand_in.load(lock, only=True)
    with stand_in.client() as ws:
        assert [model.model_id for model in ws.models()] == sorted(MODELS)
        with pytest.raises(NotFoundError, match='Model "acme/speek" not found'):
            ws.submit("acme/speek", {"text": "A cat"})
        with pytest.raises(NotFoundError):
            ws.price("wavespeed-ai/flux-dev")
        ws.submit("acme/speak", {"text": "A cat"})
    assert stand_in.violations == [
        "POST /api/v3/acme/speek: There is no model acme/speek. Close to it: acme/speak, acme/paint-2.1/fast."
    ]
    assert [call.model for call in stand_in.calls] == ["acme/speak"]


def test_locks_add_up_and_outlast_a_reset(stand_in: FakeWaveSpeed, lock: Path, tmp_path: Path) -> None:
    stand_in.load(lock)
    other = tmp_path / "other"
    other.mkdir()
    stand_in.load(written(other, {"acme/third": {"required": ["a"]}, "acme/speak": {}}), only=True)
    stand_in.reset()
    assert stand_in.models == {*MODELS, "acme/third"}
    with stand_in.client() as ws:
        ws.submit("acme/speak", {"anything": 1})  # the later lock counts
        for model in (PAINTER, "acme/third"):
            with pytest.raises(BadRequestError, match="is a required property"):
                ws.submit(model, {})
    assert len(stand_in.violations) == 2
    stand_in.models.add("acme/fourth")
    with stand_in.client() as ws:
        ws.submit("acme/fourth", {"anything": 1})
    stand_in.load(lock)
    with stand_in.client() as ws:
        ws.submit("acme/fifth", {"anything": 1})


@pytest.mark.parametrize("text", [None, "", "{}", "[1]", '{"format": 1, "models": {"a/b": 3}}', "import typing"])
def test_a_broken_or_missing_lock_is_one_clear_error(stand_in: FakeWaveSpeed, tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "models.lock.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidInputError, match=r"^\S*models\.lock\.json.*wavespeed_client\.typed"):
        stand_in.load(path, only=True)
    assert stand_in.models == {"wavespeed-ai/flux-dev", "wavespeed-ai/z-image/turbo"}


@pytest.mark.parametrize(
    ("lock", "only", "message"), [(5, False, "lock must be"), (None, 0, "only must be"), ("x", 1, "only must be")]
)
def test_wrong_arguments_are_named(stand_in: FakeWaveSpeed, lock: Any, only: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        stand_in.load(lock, only)


def test_the_key_is_checked_before_the_model(stand_in: FakeWaveSpeed, lock: Path) -> None:
    stand_in.load(lock, only=True)
    with WaveSpeed("other-key", base_url=stand_in.url) as ws, pytest.raises(Exception, match="401"):
        ws.submit("acme/none", {})
    assert stand_in.violations == []
