"""Written modules: what they contain, what they must not contain, and what they do not depend on."""

from __future__ import annotations

import ast
import json
import os
import pickle
import random
import subprocess
import sys
import typing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.overlay.typed.models import MODELS, PAINT, SPEAK
from tests.overlay.typed.schemas import hostile, words
from wavespeed_client import FileInput, InvalidInputError
from wavespeed_client.catalogue.literals import literal
from wavespeed_client.catalogue.schema import Facts, facts_of
from wavespeed_client.typed import ListOf, ModelOf
from wavespeed_client.typed.docstrings import docstring
from wavespeed_client.typed.lock import Lock
from wavespeed_client.typed.names import class_stem, field_part, token_name
from wavespeed_client.typed.render import HEADER, definitions, render


def facts(models: dict[str, Any]) -> dict[str, Facts]:
    return {model: facts_of(schema) or {} for model, schema in models.items()}


def module(text: str) -> Any:
    """Return the module that a text makes."""
    found = ModuleType("written")
    exec(compile(text, "written.py", "exec", dont_inherit=True), found.__dict__)
    return found


def one(schema: object) -> Any:
    """Return the annotation of one field, as it is written."""
    text = render(facts({"a/b": {"properties": {"p": schema}, "required": ["p"]}}))
    (line,) = [line for line in text.splitlines() if line.startswith("    p: ")]
    return line.removeprefix("    p: ")


def test_the_written_module_is_exactly_this() -> None:
    assert render(facts({"acme/speak": {**SPEAK, "properties": {**SPEAK["properties"], "class": {}}}})) == (
        HEADER.partition("\n")[0]
        + '''
# ruff: noqa
# fmt: off
# isort: skip_file

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict
from wavespeed_client.typed import ModelOf


AcmeSpeak_Voice: TypeAlias = Literal["ann", "bob"]


AcmeSpeakInput = TypedDict("AcmeSpeakInput", {
    "class": NotRequired[Any],
    "text": str,
    "voice": NotRequired[AcmeSpeak_Voice],
})
"""Input of acme/speak."""


acme_speak: "ModelOf[AcmeSpeakInput]" = ModelOf("acme/speak")
'''
    )


def test_the_types_of_a_written_module_can_be_inspected() -> None:
    written = module(render(facts(MODELS)))
    paint = written.AcmePaint2_1FastInput
    assert paint.__required_keys__ == {"prompt"}
    hints = typing.get_type_hints(paint)
    assert list(hints)[:5] == ["prompt", "image", "images", "size", "steps"]
    assert hints["prompt"] is str
    assert hints["image"] == str | FileInput
    assert hints["images"] == ListOf[str | FileInput]
    assert typing.get_args(hints["size"]) == ("1024*1024", "1280*720")
    assert hints["loras"] == list[written.AcmePaint2_1Fast_Loras]
    assert written.acme_paint_2_1_fast == ModelOf("acme/paint-2.1/fast")
    assert typing.get_type_hints(written)["acme_paint_2_1_fast"] == ModelOf[paint]


ANNOTATIONS: list[tuple[object, str]] = [
    ({"type": "string"}, "str"),
    ({"type": "integer", "minimum": 0.1}, "int"),
    ({"type": "number"}, "float"),
    ({"type": "boolean"}, "bool"),
    ({"type": "null"}, "None"),
    ({}, "Any"),
    ({"type": ["string", "null"]}, "None | str"),
    ({"type": "array"}, "list[Any]"),
    ({"type": "array", "items": {"type": "string"}}, "list[str]"),
    ({"type": "array", "items": {"type": "number"}}, "ListOf[float]"),
    ({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}, "list[list[int]]"),
    ({"type": "string", "format": "uri"}, "str | FileInput"),
    ({"type": "object"}, "dict[str, Any]"),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, "dict[str, int]"),
    ({"type": "object", "properties": {"q": {}}}, "AB_P"),
    ({"enum": ["a", 1, True, None]}, "AB_P"),
    ({"const": "a"}, "AB_P"),
    ({"type": "number", "enum": [0.5, 1]}, "float"),
    ({"enum": [0.5, "a"]}, "float | str"),
    ({"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "string"}]}, "str | None"),
    ({"oneOf": [{"type": "integer"}, {}]}, "Any"),
    ({"anyOf": [{"type": "object", "properties": {"q": {}}}, {"enum": ["auto"]}]}, "AB_P_Form1 | AB_P_Form2"),
]


@pytest.mark.parametrize(("schema", "annotation"), ANNOTATIONS)
def test_each_schema_becomes_its_annotation(schema: object, annotation: str) -> None:
    assert one(schema) == annotation


def test_rules_that_types_cannot_express_are_written_in_docstrings() -> None:
    text = render(facts({"a/b": {"properties": {"p": {"type": "array", "maxItems": 3}}}}))
    assert '    """At most 3 items."""\n' in text
    said = {
        "type": "number",
        "description": "How strong.",
        "default": 1,
        "minimum": 0,
        "maximum": 4,
        "deprecated": True,
    }
    assert '"""How strong. Default 1. 0 to 4. Deprecated."""' in render(facts({"a/b": {"properties": {"p": said}}}))
    each = {"type": "array", "items": {"type": "string", "minLength": 2, "pattern": "^{}"}, "uniqueItems": True}
    assert '"""No two items are equal. Each item: At least 2 characters. It matches ^{}"""' in render(
        facts({"a/b": {"properties": {"p": each}}})
    )
    rules = {"properties": {"p": {"type": "number", "enum": [0.5, 1]}}, "not": {"required": ["p"]}}
    text = render(facts({"a/b": rules}))
    assert '"""Input of a/b. The service also checks rules between its fields."""' in text
    assert '"""One of 0.5, 1."""' in text


@pytest.mark.parametrize(
    "name", ["class", "a-b", "__private", "str", "Any", "FileInput", "ﬁ", "", "AB_Size", "a b", "1"]
)
def test_any_name_can_be_a_field(name: str) -> None:
    schema = {"properties": {name: {"type": "string"}, "size": {"enum": ["a"]}, "x": {"type": "string"}}}
    written = module(render(facts({"a/b": schema})))
    assert written.ABInput.__annotations__.keys() == {name, "size", "x"}


def test_fields_that_would_share_a_name_get_different_ones() -> None:
    fields = {name: {"enum": [name]} for name in ("a_b", "aB", "a-b", "input", "a_b_2", "?", "2")}
    written = module(render(facts({"a/b": {"properties": fields}})))
    hints = typing.get_type_hints(written.ABInput)
    assert {name: typing.get_args(hint) for name, hint in hints.items()} == {name: (name,) for name in fields}


def test_words_of_a_description_import_nothing() -> None:
    said = {"type": "string", "description": 'Any "Literal" FileInput: ListOf\\', "enum": ["NotRequired", "a Any"]}
    text = render(facts({"a/b": {"properties": {"p": said}, "required": ["p"]}}))
    assert "\nfrom typing import Literal, TypeAlias, TypedDict\nfrom wavespeed_client.typed import ModelOf\n" in text


# Names


def test_names_come_from_the_whole_id() -> None:
    assert class_stem("wavespeed-ai/wan-2.2/t2v-720p-lora") == "WavespeedAiWan2_2T2v720pLora"
    assert token_name("wavespeed-ai/wan-2.2/t2v-720p-lora") == "wavespeed_ai_wan_2_2_t2v_720p_lora"
    assert (class_stem("302ai/x_y"), token_name("302ai/x_y")) == ("Model302aiXY", "model_302ai_x_y")
    assert (field_part("negative_prompt"), field_part("2x"), field_part("é")) == ("NegativePrompt", "Field2x", "Field")


@pytest.mark.parametrize("models", [("a/b-c", "a/b/c"), ("a/b", "A/b"), ("a/bc", "a/b-c", "a/b.c"), ("a/bC", "a/b-C")])
def test_two_models_of_one_name_are_refused(models: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInputError, match=r"^\S+ and \S+ would both be named \w+: write one"):
        render({model: {"type": "object"} for model in models})


def test_names_of_different_models_never_meet() -> None:
    inner = {"properties": {"input": {"enum": ["a"]}, "3Input": {"enum": ["b"]}, "b": {"properties": {"input": {}}}}}
    models = {"x/2": inner, "x/2-3": inner, "x/2-b": inner, "x/2-field-3": inner}
    names = [name for model, each in facts(models).items() for name in definitions(model, each)]
    assert len(names) == len(set(names))


# Hostile words


@pytest.mark.parametrize(
    "text", ['"', '""', '"""', "\\", '\\"', 'a"""b"', "\\\\\\", "a\\\n", '"\\', "\u202e\x00", "a" * 9]
)
def test_odd_text_stays_text_in_docstrings_and_literals(text: str) -> None:
    value = ast.literal_eval(docstring(f"x{text}", "").strip())
    assert value == f"x{text}".rstrip("\n").strip()
    assert ast.literal_eval(literal(text)) == text
    assert "\n" not in literal(text) + docstring(text or ".", "")
    assert "\u202e" not in literal(text)


@pytest.mark.no_cover
def test_hostile_schemas_become_nothing_but_constants() -> None:
    source = random.Random(18)
    for number in range(3000):
        read = facts({f"a/b-{number}": {"properties": {words(source): hostile(source), "x": hostile(source)}}})
        assert {model: facts_of(json.loads(json.dumps(each))) for model, each in read.items()} == read
        assert json.loads(Lock(read).text())["models"] == read
        text = render(read)
        assert text.isprintable() or not set(text) & set("\x00\x7f\r\t\u2028\u202e\u200b\u3000")
        text.encode()
        check_constants(text)


def check_constants(text: str) -> None:
    tree = ast.parse(text)
    for node in tree.body:
        assert isinstance(node, ast.ImportFrom | ast.ClassDef | ast.AnnAssign | ast.Assign | ast.Expr)
        assert not isinstance(node, ast.Expr) or isinstance(node.value, ast.Constant)
        assert not isinstance(node, ast.ImportFrom) or (node.module or "").split(".")[0] in (
            "typing",
            "wavespeed_client",
        )
    nodes = list(ast.walk(tree))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    assert {call.func.id for call in calls if isinstance(call.func, ast.Name)} <= {"ModelOf", "TypedDict"}
    assert all(isinstance(call.func, ast.Name) for call in calls)
    assert not [node for node in nodes if isinstance(node, ast.Lambda | ast.Attribute | ast.comprehension)]


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(5))
def test_modules_of_hostile_schemas_can_be_imported(seed: int) -> None:
    source = random.Random(seed)
    models = {f"a/m{number}": {"properties": {"x": hostile(source), "y": hostile(source)}} for number in range(60)}
    module(render(facts(models)))


# Independence of other models, order and hash seed


def test_an_added_model_changes_no_lines_of_the_others() -> None:
    source = random.Random(7)
    models = facts({f"a/m{number}": {"properties": {"x": hostile(source)}} for number in range(30)})
    blocks = blocks_of(render(models))
    for model in models:
        fewer = render({other: each for other, each in models.items() if other != model})
        own = {text.rstrip() for text in definitions(model, models[model]).values()}
        assert blocks_of(fewer) == blocks - own


def blocks_of(text: str) -> set[str]:
    return {block.rstrip() for block in text.split("\n\n\n")[1:]}


PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
from tests.overlay.typed.models import MODELS
from wavespeed_client.catalogue.schema import facts_of
from wavespeed_client.typed.lock import Lock
from wavespeed_client.typed.render import render
def turned(value):
    if isinstance(value, dict):
        return {name: turned(value[name]) for name in reversed(value)}
    return [turned(each) for each in value] if isinstance(value, list) else value
models = MODELS if sys.argv[2] == "straight" else turned(MODELS)
facts = {model: facts_of(schema) for model, schema in models.items()}
sys.stdout.write(Lock(facts).text() + render(facts))
"""


def test_the_written_module_does_not_depend_on_order_or_hash_seed() -> None:
    texts = set()
    for seed, order in (("1", "straight"), ("2", "turned")):
        command = [sys.executable, "-c", PROGRAM, str(ROOT), order]
        done = subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True)
        texts.add(done.stdout)
    assert len(texts) == 1


def test_a_written_module_loads_no_library(tmp_path: Path) -> None:
    (tmp_path / "written.py").write_text(render(facts(MODELS)))
    program = "import json, sys; sys.path.insert(0, '.'); import written; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert {"httpx", "attr", "attrs", "asyncio"}.isdisjoint(loaded)
    assert [name for name in loaded if name.startswith("wavespeed")] == [
        "wavespeed_client",
        "wavespeed_client._version",
        "wavespeed_client.files",
        "wavespeed_client.files.kinds",
        "wavespeed_client.typed",
        "wavespeed_client.typed.token",
    ]


def test_a_token_is_no_string_and_can_be_pickled_and_compared() -> None:
    token: ModelOf[dict[str, Any]] = ModelOf("acme/speak")
    assert not isinstance(token, str)
    assert pickle.loads(pickle.dumps(token)) == token
    assert len({token, ModelOf("acme/speak"), ModelOf("acme/other")}) == 2
    assert token != "acme/speak"
    assert repr(token) == "ModelOf('acme/speak')"
    with pytest.raises(AttributeError):
        token.id = "acme/other"  # type: ignore[misc]


def test_the_model_of_the_type_tests_has_every_kind_of_field() -> None:
    assert {each["type"] for each in PAINT["properties"].values()} == {
        "string",
        "array",
        "integer",
        "number",
        "boolean",
    }
