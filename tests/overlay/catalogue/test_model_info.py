"""A model's inputs, read from its row of the catalogue, and how they are shown."""

from __future__ import annotations

import json
import pickle
import random
import re
from typing import Any

import attrs
import pytest

from tests.conftest import ROOT
from tests.overlay.typed.models import PAINT, row
from tests.overlay.typed.page import FLUX
from tests.overlay.typed.schemas import hostile
from wavespeed_client import ModelInfo, ModelInput
from wavespeed_client.catalogue.literals import UNSEEN
from wavespeed_client.catalogue.rows import Model
from wavespeed_client.media.table import COLUMNS, width
from wavespeed_client.typed.render import render
from wavespeed_client.typed.update import catalogue_of


def info(schema: object, **others: Any) -> ModelInfo:
    return ModelInfo.of(Model.of(row("acme/paint", schema, **others)))


def one(schema: object) -> ModelInput:
    """Return the only field of a model."""
    (found,) = info({"properties": {"p": schema}}).inputs
    return found


def test_a_row_becomes_plain_data_in_the_order_of_the_page() -> None:
    found = info(PAINT)
    assert (found.id, found.type, found.base_price) == ("acme/paint", "text-to-image", 0.01)
    assert [each.name for each in found.inputs][:5] == ["prompt", "image", "images", "size", "steps"]
    inputs = {each.name: each for each in found.inputs}
    assert inputs["prompt"] == ModelInput(
        "prompt", "string", True, description="What to paint.", limits="At most 2000 characters."
    )
    assert inputs["size"].choices == ("1024*1024", "1280*720")
    assert (inputs["size"].default, inputs["size"].required) == ("1024*1024", False)
    assert (inputs["seed"].minimum, inputs["seed"].maximum) == (-1, 2147483647)
    assert inputs["seed"].type == "integer"
    assert (inputs["enable_safety_checker"].type, inputs["enable_safety_checker"].default) == ("boolean", True)
    assert inputs["loras"].limits == "Items: object, with kind, path (required), scale. At most 3 items."


def test_file_fields_are_those_of_typed_inputs() -> None:
    found = info(PAINT)
    assert [each.name for each in found.inputs if each.is_file] == ["image", "images"]
    (facts,) = catalogue_of([row("acme/paint", PAINT)]).values()
    text = render({"acme/paint": facts or {}})
    assert [line.split(":")[0].strip() for line in text.splitlines() if "str | FileInput]" in line] == [
        "image",
        "images",
    ]


@pytest.mark.parametrize(
    ("schema", "kind", "choices"),
    [
        ({"type": ["string", "null"]}, "null | string", ()),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "string"}]}, "string | integer", ()),
        ({"oneOf": [{"type": "array"}, {}]}, "any", ()),
        ({"enum": ["a", "b"]}, "string", ("a", "b")),
        ({"enum": [1, None]}, "number | null", (1, None)),
        ({"const": "x"}, "string", ("x",)),
        ({"type": "string", "nullable": True}, "null | string", ()),
        ({"properties": {"a": {}}}, "object", ()),
        ({}, "any", ()),
        ({"type": "picture"}, "any", ()),
        (3, "any", ()),
    ],
)
def test_types_are_named_in_the_words_of_json_schema(schema: Any, kind: str, choices: tuple[Any, ...]) -> None:
    found = one(schema)
    assert (found.type, found.choices) == (kind, choices)


@pytest.mark.parametrize("schema", [None, "x", {"type": "string"}, [], {"api_schemas": []}])
def test_a_row_that_describes_no_input_has_none(schema: Any) -> None:
    found = info(schema, type=None, base_price="dear")
    assert found == ModelInfo("acme/paint", None, None, ())
    assert str(found) == "acme/paint\n\nThe catalogue describes no input."
    assert found._repr_html_().count("<table") == 1


def test_model_info_is_frozen_picklable_and_hashable() -> None:
    found = info({"properties": {"p": {"default": [1], "enum": [[1], {"a": 2}]}}})
    copy = pickle.loads(pickle.dumps(found))
    assert (copy, hash(copy)) == (found, hash(found))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        found.id = "other"  # type: ignore[misc]


def test_printed_model_info_is_a_table() -> None:
    schema = {
        "required": ["prompt", "steps"],
        "x-order-properties": ["prompt", "image", "steps", "voice"],
        "properties": {
            "prompt": {"type": "string", "description": "What to\n paint, in words. " * 5},
            "image": {"type": "string"},
            "steps": {"type": "integer", "default": 4, "minimum": 1},
            "voice": {"type": "string", "enum": [f"voice-{number}" for number in range(500)]},
        },
    }
    assert str(info(schema)) == (
        "acme/paint, text-to-image, from 0.01 USD\n"
        "\n"
        "input   type           default       about\n"
        "prompt  string         required      What to paint, in words. What to paint, in words. What to\n"
        "                                     paint, in words. What to paint, in words. What to paint, in\n"
        "                                     words.\n"
        "image   string (file)\n"
        "steps   integer        required (4)  At least 1.\n"
        'voice   string                       One of "voice-0", "voice-1", "voice-2", "voice-3", "voice-4",\n'
        '                                     "voice-5", "voice-6", "voice-7", "voice-8", "voice-9",\n'
        '                                     "voice-10", "voice-11" and 488 more.'
    )


HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\x00\u202e<script>\u200b" + chr(0xD800) + "中" * 80


def test_printed_model_info_sends_no_control_characters_and_fits_the_terminal() -> None:
    schema = {
        "properties": {
            HOSTILE.replace(chr(0xD800), ""): {
                "type": "string",
                "description": HOSTILE * 3,
                "default": HOSTILE,
                "enum": [HOSTILE],
                "pattern": HOSTILE,
            }
        }
    }
    shown = str(info(schema, type=HOSTILE))
    shown.encode()
    assert not UNSEEN.search(shown.replace("\n", ""))
    assert "\\u001b[2J" in shown
    assert max(map(width, shown.splitlines())) <= COLUMNS


@pytest.mark.no_cover
def test_random_schemas_are_shown_without_control_characters() -> None:
    chance = random.Random(7)
    for _ in range(500):
        schema = json.loads(json.dumps(hostile(chance)))
        found = info({"type": "object", "properties": {"p": schema, "q": hostile(chance)}})
        shown, html = str(found), found._repr_html_()
        html.encode()
        assert not UNSEEN.search(shown.replace("\n", ""))
        assert max(map(width, shown.splitlines())) <= COLUMNS
        assert pickle.loads(pickle.dumps(found)).inputs[0].name == found.inputs[0].name


def test_the_models_page_shows_the_printed_table() -> None:
    (shown,) = re.findall(r"^```text\n(.*?)^```$", (ROOT / "overlay/docs/models.md").read_text("utf-8"), re.M | re.S)
    assert shown == f"{ModelInfo.of(Model.of(row('wavespeed-ai/flux-dev', FLUX)))}\n"
