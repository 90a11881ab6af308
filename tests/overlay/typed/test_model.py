"""`use` and its verbs: the service sees the same requests as from the client's own verbs."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import pytest

from tests.conftest import Driven
from wavespeed_client import AsyncWaveSpeed, InvalidInputError, InvalidModelError, TaskFailedError, WaveSpeed
from wavespeed_client.testing import FakeWaveSpeed
from wavespeed_client.typed import AsyncTypedModel, ModelOf, TypedModel

FLUX: ModelOf[dict[str, Any]] = ModelOf("wavespeed-ai/flux-dev")
VERBS = ["submit", "run", "run_many", "price"]


@pytest.fixture
def flux(ws: Driven) -> Driven:
    """The model of a client of either kind, called in the same way."""
    return Driven(ws.client.use(FLUX), ws._runner)


def test_run_submits_and_waits(flux: Driven, fake: FakeWaveSpeed) -> None:
    seen: list[str] = []
    task = flux.run({"prompt": "a cat"}, on_update=lambda task: seen.append(task.status), max_cost=1)
    assert task.status == "completed"
    assert seen[-1] == "completed"
    assert [(call.model, call.input) for call in fake.calls] == [(FLUX.id, {"prompt": "a cat"})]


def test_submit_takes_a_webhook(flux: Driven, fake: FakeWaveSpeed) -> None:
    task = flux.submit({"prompt": "a cat"}, webhook="https://example.com/hook")
    assert task.status == "created"
    assert fake.requests[-1].target == f"/api/v3/{FLUX.id}?webhook=https%3A%2F%2Fexample.com%2Fhook"


def test_run_many_gives_the_outcomes(flux: Driven, fake: FakeWaveSpeed) -> None:
    outcomes = flux.run_many([{"prompt": f"take {take}"} for take in range(3)], max_in_flight=2)
    assert sorted(outcome.index for outcome in outcomes if outcome.error is None) == [0, 1, 2]
    assert sorted(call.input["prompt"] for call in fake.calls) == ["take 0", "take 1", "take 2"]


def test_price_requests_the_price(flux: Driven, fake: FakeWaveSpeed) -> None:
    assert flux.price().model_id == flux.price({"prompt": "a cat"}).model_id == FLUX.id
    assert not fake.calls


def test_errors_are_those_of_the_client(flux: Driven, fake: FakeWaveSpeed) -> None:
    fake.fail(FLUX.id, error="Refused.")
    with pytest.raises(TaskFailedError, match=r"Refused\."):
        flux.run({"prompt": "a cat"})


@pytest.mark.parametrize("model", ["wavespeed-ai/flux-dev", None, 3])
def test_use_takes_tokens_only(ws: Driven, fake: FakeWaveSpeed, model: object) -> None:
    with pytest.raises(InvalidInputError, match=r"^use takes a ModelOf .* With a model id, call run\(id, input\)\.$"):
        ws.use(model)
    with pytest.raises(InvalidModelError):
        ws.use(ModelOf("flux-dev"))
    assert not fake.requests


def test_a_typed_model_names_its_id(flux: Driven) -> None:
    assert flux.client.id == FLUX.id
    assert repr(flux.client) == f"{type(flux.client).__name__}(id='{FLUX.id}')"


@pytest.mark.parametrize(("typed", "client"), [(TypedModel, WaveSpeed), (AsyncTypedModel, AsyncWaveSpeed)])
@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_takes_the_arguments_of_the_clients_verb(typed: type, client: type, verb: str) -> None:
    """Names, defaults and types of the arguments are the client's, except for the model and its input."""
    expected = list(inspect.signature(getattr(client, verb)).parameters.values())
    forms = typing.get_overloads(getattr(typed, verb)) or [getattr(typed, verb)]
    for form in (*forms, getattr(typed, verb)):
        own = list(inspect.signature(form).parameters.values())
        assert [each.name for each in own] == [each.name for each in expected if each.name != "model"]
        options = [each for each in own if each.kind is inspect.Parameter.KEYWORD_ONLY]
        assert options == [each for each in expected if each.kind is inspect.Parameter.KEYWORD_ONLY]
    assert (
        inspect.signature(getattr(typed, verb)).return_annotation
        == inspect.signature(getattr(client, verb)).return_annotation
    )
