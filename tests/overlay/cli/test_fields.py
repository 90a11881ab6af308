"""NAME=VALUE with the type that the model's schema gives it, or as it is written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from tests.overlay.cli.conftest import MODEL, SCHEMA, Invoke
from wavespeed_client.catalogue.schema import facts_of
from wavespeed_client.cli.fields import field_of, input_of
from wavespeed_client.testing import FakeWaveSpeed

FACTS = facts_of(SCHEMA)

TYPED: list[tuple[list[str], Any]] = [
    (["prompt=123"], {"prompt": "123"}),
    (["prompt=true"], {"prompt": "true"}),
    (["prompt="], {"prompt": ""}),
    (["prompt=a=b:=c@d"], {"prompt": "a=b:=c@d"}),
    (["prompt=two\nlines"], {"prompt": "two\nlines"}),
    (['prompt:="@alice"'], {"prompt": "@alice"}),
    (["prompt:=123"], {"prompt": 123}),
    (["size=1024*1024"], {"size": "1024*1024"}),
    (["seed=7"], {"seed": 7}),
    (["seed=-1"], {"seed": -1}),
    (["strength=0.5"], {"strength": 0.5}),
    (["strength=1"], {"strength": 1.0}),
    (["safe=false"], {"safe": False}),
    (["safe=True"], {"safe": True}),
    (["level=2"], {"level": 2}),
    (["maybe=null"], {"maybe": None}),
    (["maybe=3"], {"maybe": 3}),
    (["sizes=1", "sizes=2"], {"sizes": [1, 2]}),
    (["sizes=1"], {"sizes": [1]}),
    (["sizes=[1,2]"], {"sizes": [1, 2]}),
    (["images=https://example.com/a.png"], {"images": ["https://example.com/a.png"]}),
    (["images=@a.png", "images=https://example.com/b.png"], {"images": [Path("a.png"), "https://example.com/b.png"]}),
    (["image=@a.png"], {"image": Path("a.png")}),
    (['loras=[{"path":"x"}]'], {"loras": [{"path": "x"}]}),
    (['loras={"path":"x"}', 'loras={"path":"y"}'], {"loras": [{"path": "x"}, {"path": "y"}]}),
    (['camera={"pan":1}'], {"camera": {"pan": 1}}),
    (["anything=1"], {"anything": "1"}),
    (["enable_sync_mode:=true"], {"enable_sync_mode": True}),
]


@pytest.mark.parametrize(("arguments", "expected"), TYPED, ids=[" ".join(given) for given, _ in TYPED])
def test_a_value_has_the_type_that_the_schema_says(arguments: list[str], expected: dict[str, Any]) -> None:
    Path("a.png").write_bytes(b"a")
    found = input_of(map(field_of, arguments), FACTS)
    assert found == expected
    assert [type(found[name]) for name in expected] == [type(value) for value in expected.values()] or "image" in found


WRONG = [
    (["prompt"], "is not a field"),
    (["=x"], "is not a field"),
    ([":=1"], "is not a field"),
    (["seed=many"], "seed must be a whole number, not 'many'"),
    (["seed=1.5"], "seed must be a whole number"),
    (["strength=nan"], "strength must be a number"),
    (["safe=yes"], "safe must be true or false"),
    (["camera=left"], "camera must be a JSON object"),
    (["maybe=x"], "maybe must be a whole number or null"),
    (["sizes=a"], "sizes must be a whole number"),
    (["promt=x"], "no field 'promt'. Did you mean prompt? To send it anyway, write promt:=JSON"),
    (["zzz=x"], "It has anything, camera,"),
    (["prompt:=alice"], "not JSON"),
    (["strength:=NaN"], "not JSON"),
    (["image=@missing.png"], "the file does not exist"),
    (["prompt=@alice"], """prompt:='"@alice"'"""),
    (["image=@."], "the file does not exist"),
    (["image=@~nobody-of-that-name/cat.png"], "the file does not exist"),
    ([f"image=@{'a' * 5000}"], "the file does not exist"),
    (["seed=1", "seed=2"], "seed takes one value, and was given 2 times"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[" ".join(given)[:50] for given, _ in WRONG])
def test_a_value_that_does_not_fit_is_refused_with_what_is_allowed(arguments: list[str], message: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        input_of(map(field_of, arguments), FACTS)
    assert message in refused.value.message


def test_without_a_schema_values_are_text_and_repeated_fields_are_lists() -> None:
    fields = map(field_of, ["prompt=1", "sizes=1", "sizes=2", "seed:=3"])
    assert input_of(fields, None) == {"prompt": "1", "sizes": ["1", "2"], "seed": 3}


def test_the_schema_is_the_models_own(invoke: Invoke, account: FakeWaveSpeed, catalogue: Callable[..., None]) -> None:
    catalogue()
    assert invoke("run", MODEL, "prompt=5", "seed=5", "safe=no").code == 2
    assert account.calls == []
    catalogue()
    assert invoke("run", MODEL, "prompt=5", "seed=5", "safe=false").code == 0
    assert account.calls[0].input == {"prompt": "5", "seed": 5, "safe": False}


@pytest.mark.parametrize("how", ["the catalogue fails", "the model is not in it", "it says nothing of its input"])
def test_where_the_catalogue_cannot_help_values_are_sent_as_text_with_a_warning(
    how: str, invoke: Invoke, account: FakeWaveSpeed, catalogue: Callable[..., None]
) -> None:
    if how == "the catalogue fails":
        account.refuse(500, on="models", times=9)
    elif how == "the model is not in it":
        catalogue(model_id="wavespeed-ai/flux-dew")
    else:
        catalogue(api_schema={"api_schemas": []})
    ended = invoke("run", MODEL, "prompt=5", "rounds=5", "steps:=3")
    assert (ended.code, account.calls[0].input) == (0, {"prompt": "5", "rounds": "5", "steps": 3})
    assert "sent as text" in ended.err.splitlines()[0]


def test_json_alone_needs_no_catalogue(invoke: Invoke, account: FakeWaveSpeed) -> None:
    assert invoke("submit", MODEL, 'prompt:="x"').code == 0
    assert [request.path for request in account.requests if request.method == "GET"] == []


def test_inputs_shows_what_the_model_takes(invoke: Invoke, catalogue: Callable[..., None]) -> None:
    catalogue()
    shown = {line.split()[0]: line for line in invoke("inputs", MODEL).lines if line.strip()}
    assert shown["prompt"].split(None, 3) == ["prompt", "string", "required", "What to paint."]
    assert shown["seed"].split()[1:3] == ["integer", "-1"]
    catalogue()
    rows = {row["name"]: row for row in json.loads(invoke("inputs", MODEL, "--json").out)["inputs"]}
    assert rows.keys() == SCHEMA["properties"].keys()
    assert (rows["seed"]["minimum"], rows["images"]["is_file"], rows["level"]["choices"]) == (-1, True, [1, 2, 3])


def test_an_unknown_model_names_close_ones(invoke: Invoke) -> None:
    ended = invoke("inputs", "wavespeed-ai/flux-devv")
    assert (ended.code, ended.out) == (2, "")
    assert "Close to it: wavespeed-ai/flux-dev" in ended.err
