"""Deletions, the catalogue, prices, balance, usage, bills and the webhook secret."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Driven
from wavespeed_client import (
    CostLimitError,
    InvalidInputError,
    InvalidModelError,
    NotFoundError,
    Task,
    UnexpectedResponseError,
)
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("max-cost")

FLUX = "wavespeed-ai/flux-dev"
NOW = datetime.now(UTC)


def sent(fake: FakeWaveSpeed, path: str) -> list[Any]:
    return [json.loads(request.body) for request in fake.requests if request.target == f"/api/v3/{path}"]


def test_delete_takes_tasks_and_ids_a_hundred_per_request_and_returns_the_count(
    ws: Driven, fake: FakeWaveSpeed
) -> None:
    fake.script(FLUX, "completed")
    done = [ws.submit(FLUX) for _ in range(3)]
    running = ws.submit("a/b")
    assert ws.delete(*done[:2], done[2].id, running, "unknown") == 3
    assert [task.id for task in ws.tasks()] == [running.id]
    assert ws.delete(*(f"task-{number}" for number in range(250))) == 0
    assert [len(query["ids"]) for query in sent(fake, "predictions/delete")] == [5, 100, 100, 50]


@pytest.mark.parametrize("tasks", [(), ("a/b",), ("abc", None), (["abc"],), (Task(id="", model="", status=""),)])
def test_an_empty_or_wrong_deletion_is_refused(ws: Driven, fake: FakeWaveSpeed, tasks: Any) -> None:
    with pytest.raises(InvalidInputError):
        ws.delete(*tasks)
    assert fake.requests == []


def test_models_are_rows_with_their_schema(ws: Driven, fake: FakeWaveSpeed) -> None:
    found = {model.model_id: model for model in ws.models()}
    assert set(found) == fake.models
    flux = found[FLUX]
    assert (flux.type_, flux.base_price) == ("text-to-image", 0.012)
    assert flux.api_schema["api_schemas"][0]["request_schema"]["required"] == ["prompt"]
    fake.raw(200, b'{"data": null}', on="models")
    with pytest.raises(UnexpectedResponseError):
        ws.models()


def test_price_returns_the_price_before_anything_is_paid(ws: Driven, fake: FakeWaveSpeed) -> None:
    price = ws.price(FLUX, {"prompt": "a cat"})
    assert (price.price, price.discounted_price, price.discount_rate, price.currency) == (0.012, 0.0108, 90, "USD")
    ws.price(FLUX)
    assert sent(fake, "model/price") == [{"model_id": FLUX, "inputs": {"prompt": "a cat"}}, {"model_id": FLUX}]
    with pytest.raises(NotFoundError, match="not found"):
        ws.price("no/such-model")
    with pytest.raises(InvalidModelError):
        ws.price("flux")
    assert fake.calls == []


def test_a_run_above_its_limit_submits_nothing(ws: Driven, fake: FakeWaveSpeed) -> None:
    with pytest.raises(CostLimitError, match=r"would cost 0\.0108 USD, and the limit is 0\.01 USD") as caught:
        ws.run(FLUX, {"prompt": "a cat"}, max_cost=0.01)
    assert (caught.value.limit, caught.value.price.discounted_price) == (0.01, 0.0108)
    assert fake.calls == []
    assert ws.run(FLUX, {"prompt": "a cat"}, max_cost=0.0108).succeeded
    assert len(fake.calls) == 1


def test_a_price_in_another_currency_is_above_every_limit(ws: Driven, fake: FakeWaveSpeed) -> None:
    for currency in ("EUR", "usd", ""):
        data = {"model_id": FLUX, "price": 1, "discounted_price": 1, "discount_rate": 100, "currency": currency}
        fake.raw(200, json.dumps({"data": data}).encode(), on="price")
        with pytest.raises(CostLimitError, match=f"would cost 1 {currency},"):
            ws.run(FLUX, max_cost=5)
    assert fake.calls == []


def test_a_price_just_above_the_limit_is_printed_exactly(ws: Driven, fake: FakeWaveSpeed) -> None:
    data = {"model_id": "x" * 5000, "price": 1, "discounted_price": 0.30000001}
    fake.raw(200, json.dumps({"data": data}).encode(), on="price")
    with pytest.raises(CostLimitError, match=r"of x{200} would cost 0\.30000001 USD, and the limit is 0\.3 USD"):
        ws.run(FLUX, {"prompt": "a cat"}, max_cost=0.3)
    assert fake.calls == []


@pytest.mark.parametrize("currency", [{}, {"currency": None}])
def test_a_price_without_a_currency_is_in_usd(ws: Driven, fake: FakeWaveSpeed, currency: dict[str, None]) -> None:
    data = {"price": 2, "discounted_price": 0.5, **currency}
    fake.raw(200, json.dumps({"data": data}).encode(), times=2, on="price")
    with pytest.raises(CostLimitError, match=r"this model would cost 0\.5 USD, and the limit is 0\.4 USD"):
        ws.run(FLUX, max_cost=0.4)
    assert fake.calls == []
    assert ws.run(FLUX, max_cost=0.5).succeeded


@pytest.mark.parametrize(
    "data",
    [
        {"model_id": FLUX, "currency": "USD"},
        {"price": 0.1, "currency": "USD"},
        {"price": 0.1, "discounted_price": None},
        {"price": 0.1, "discounted_price": "0.1"},
        {"price": 0.1, "discounted_price": True},
        {"price": 0.1, "discounted_price": 0.1, "currency": 5},
        {"unit_price": 0.1, "currency": "USD"},
        [],
    ],
)
def test_without_a_price_run_submits_nothing(ws: Driven, fake: FakeWaveSpeed, data: Any) -> None:
    fake.raw(200, json.dumps({"code": 200, "data": data}).encode(), on="price")
    with pytest.raises(UnexpectedResponseError, match="cannot be read"):
        ws.run(FLUX, max_cost=5)
    assert fake.calls == []


@pytest.mark.parametrize("price", ["NaN", "-1", "Infinity", "1e400", "1" + "0" * 400])
def test_an_absurd_price_means_that_nothing_is_submitted(ws: Driven, fake: FakeWaveSpeed, price: str) -> None:
    data = f'{{"model_id": "a/b", "price": 1, "discounted_price": {price}, "discount_rate": 100, "currency": "USD"}}'
    fake.raw(200, f'{{"data": {data}}}'.encode(), on="price")
    with pytest.raises((CostLimitError, UnexpectedResponseError)):
        ws.run("a/b", max_cost=5)
    assert fake.calls == []


@pytest.mark.parametrize("limit", [-1, float("nan"), float("inf"), "1", True])
def test_an_invalid_max_cost_is_refused(ws: Driven, fake: FakeWaveSpeed, limit: Any) -> None:
    with pytest.raises(InvalidInputError, match="max_cost"):
        ws.run(FLUX, max_cost=limit)
    assert fake.requests == []


def test_the_balance_is_in_usd(ws: Driven) -> None:
    ws.submit(FLUX)
    assert ws.balance() == pytest.approx(100 - 0.012)


def test_usage_adds_up_a_time_span(ws: Driven, fake: FakeWaveSpeed) -> None:
    for model in (FLUX, FLUX, "a/b"):
        ws.submit(model)
    usage = ws.usage(NOW - timedelta(days=1), NOW + timedelta(days=1))
    assert usage.summary.total_requests == 3
    assert {row.model_uuid: row.total_count for row in usage.per_model_usage or ()} == {FLUX: 2, "a/b": 1}
    assert sum(day.count for day in usage.daily_usage or ()) == 3
    assert ws.usage(NOW - timedelta(days=1), NOW + timedelta(days=1), model="a/b").summary.total_requests == 1
    nothing = ws.usage(NOW - timedelta(days=31), NOW - timedelta(days=30))
    assert (nothing.per_model_usage, nothing.daily_usage) == (None, None)
    assert sent(fake, "user/usage_stats")[1]["model_uuid"] == "a/b"


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (NOW, NOW, "end must be after start"),
        (NOW, NOW - timedelta(days=1), "end must be after start"),
        (NOW - timedelta(days=31, seconds=1), NOW, "at most 31 days"),
        (NOW.replace(tzinfo=None), NOW, "start has no time zone"),
        (NOW, NOW.replace(tzinfo=None), "end has no time zone"),
        ("2026-01-01", NOW, "start must be a datetime"),
    ],
)
def test_invalid_time_spans_are_refused(ws: Driven, fake: FakeWaveSpeed, start: Any, end: Any, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        ws.usage(start, end)
    assert fake.requests == []


def test_billings_are_read_page_by_page(ws: Driven, fake: FakeWaveSpeed) -> None:
    tasks = [ws.submit(FLUX) for _ in range(101)]
    records = ws.billings()
    assert [record.prediction.uuid for record in records] == [task.id for task in reversed(tasks)]
    assert {record.price for record in records} == {0.012}
    assert [query["page"] for query in sent(fake, "billings/search")] == [1, 2]


def test_bills_are_filtered(ws: Driven, fake: FakeWaveSpeed) -> None:
    tasks = [ws.submit(FLUX) for _ in range(3)]
    assert ws.billings(billing_type="refund") == []
    assert ws.billings(start=NOW + timedelta(days=1)) == []
    assert len(ws.billings(start=NOW - timedelta(days=1), end=NOW + timedelta(days=1))) == 3
    (record,) = ws.billings(prediction_ids=[tasks[1].id])
    assert record.uuid == f"bill-{tasks[1].id}"
    query = sent(fake, "billings/search")[1]
    assert query["start_time"] == str(round((NOW + timedelta(days=1)).timestamp() * 1000))


@pytest.mark.parametrize(
    "filters",
    [
        {"billing_type": "charge"},
        {"start": NOW.replace(tzinfo=None)},
        {"end": 5},
        {"prediction_ids": "abc"},
        {"prediction_ids": ["a/b"]},
    ],
)
def test_invalid_filters_of_bills_are_refused(ws: Driven, fake: FakeWaveSpeed, filters: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        ws.billings(**filters)
    assert fake.requests == []


def test_webhook_secret_returns_the_accounts_secret(ws: Driven, fake: FakeWaveSpeed) -> None:
    assert ws.webhook_secret() == fake.webhook_secret


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("balance", {"balance": None}),
        ("balance", {"balance": "5"}),
        ("balance", {"balance": True}),
        ("balance", {}),
        ("secret", {"secret": 5}),
        ("price", {"model_id": FLUX, "price": 1, "discounted_price": "1", "discount_rate": 1, "currency": "USD"}),
        ("price", {"model_id": FLUX, "price": 1}),
        ("price", {"price": 1, "discounted_price": 1, "currency": 5}),
        ("price", []),
        ("models", {}),
        ("models", [{}, 5]),
        ("usage", []),
        ("billings", {}),
        ("billings", {"items": [{"price": 1}]}),
        ("billings", {"items": 5}),
    ],
)
def test_a_response_outside_the_contract_is_an_error(ws: Driven, fake: FakeWaveSpeed, kind: str, data: Any) -> None:
    verbs = {
        "balance": ws.balance,
        "secret": ws.webhook_secret,
        "price": lambda: ws.price(FLUX),
        "models": ws.models,
        "usage": lambda: ws.usage(NOW - timedelta(days=1), NOW),
        "billings": ws.billings,
    }
    fake.raw(200, json.dumps({"data": data}).encode(), on=kind)
    with pytest.raises(UnexpectedResponseError, match=r"cannot be read|outside the contract"):
        verbs[kind]()
