"""Models, prices, bills, usage and deletions as other versions of the service may send them: odd rows lose nothing."""

from __future__ import annotations

import json
import logging
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Connect, Driven
from tests.servers.raw import RawServer, http
from wavespeed_client import Billing, Model, Price, UnexpectedResponseError, UsageStats, WaveSpeedError
from wavespeed_client.catalogue.rows import (
    BilledOrder,
    BilledTask,
    DailyModelUsage,
    DailyUsage,
    ModelUsage,
    UsageSummary,
)

pytestmark = pytest.mark.promise("list", "odd-row")

SPAN = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)
ODD: list[Any] = [None, 5, "x", [], {}, {"uuid": None, "model_id": 5}, {"uuid": "", "model_id": ""}]


@pytest.fixture
def served(connect: Connect, raw_server: RawServer) -> Any:
    """A function that makes a client whose next response has this data, and these fields in its envelope."""

    def serve(data: Any, **envelope: Any) -> Driven:
        raw_server.responses.append(http(200, json.dumps({"data": data, **envelope}).encode()))
        return connect(base_url=raw_server.url)

    return serve


def test_a_model_needs_only_its_id(served: Any) -> None:
    whole = {"model_id": "a/b", "name": "B", "type": "llm", "base_price": 1, "description": "d", "api_schema": {"x": 1}}
    odd = {"model_id": "a/c", "name": 1, "type": None, "base_price": "1", "description": [], "api_schema": "{}"}
    rows = [whole, odd, {"model_id": "a/d", "further": 1}]
    found = served(rows).models()
    assert found == [Model("a/b", "B", "llm", 1, "d", {"x": 1}), Model("a/c"), Model("a/d")]
    assert [model.raw for model in found] == rows


def test_a_bill_needs_only_its_id(served: Any) -> None:
    certain = {"uuid": "a", "billing_type": "deduct", "price": 0.012}
    rows = [certain, {"uuid": "b", "price": None, "order": {}, "prediction": {"uuid": "t"}, "access_key_id": "k"}]
    rows.append({"uuid": "c", "order": [], "prediction": 5, "access_key_id": 7, "created_at": 5, "price": "0.012"})
    found = served({"items": rows}).billings()
    assert found == [
        Billing("a", "deduct", 0.012),
        Billing("b", order=BilledOrder(), prediction=BilledTask("t"), access_key_id="k"),
        Billing("c", access_key_id=7),
    ]
    assert [record.raw for record in found] == rows


def test_usage_needs_only_the_ids_of_its_rows(served: Any) -> None:
    model, day = {"model_uuid": "a/b", "total_cost": 1.5, "total_count": 3.0}, {"date": "2026-01-02", "amount": 1.5}
    days = [day, {"date": "2026-01-03", "models": [{"model_uuid": "a/b", "count": 2.5}, None]}, 5]
    data = {"per_model_usage": [model, {"model_uuid": None}], "daily_usage": days, "summary": {"total_cost": "1"}}
    found = served(data).usage(*SPAN)
    assert found.per_model_usage == (ModelUsage("a/b", total_cost=1.5, total_count=3),)
    assert found.daily_usage == (
        DailyUsage("2026-01-02", 1.5),
        DailyUsage("2026-01-03", models=(DailyModelUsage("a/b"),)),
    )
    assert found.summary == UsageSummary()
    assert found.raw == data


@pytest.mark.parametrize("data", [{}, {"per_model_usage": None, "daily_usage": None, "summary": None}])
def test_missing_usage_is_none(served: Any, data: dict[str, Any]) -> None:
    found = served(data).usage(*SPAN)
    assert (found.per_model_usage, found.daily_usage, found.summary.total_cost) == (None, None, None)


def test_a_price_needs_only_the_amount_that_is_paid(served: Any) -> None:
    assert served({"discounted_price": 1, "price": 2}).price("a/b") == Price(1, 2)
    data = {"discounted_price": 1, "price": "2", "discount_rate": None, "model_id": 5, "currency": None}
    assert served(data).price("a/b") == Price(1)


@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_one_odd_row_loses_no_other(served: Any, caplog: pytest.LogCaptureFixture, odd: Any) -> None:
    assert [model.model_id for model in served([{"model_id": "a"}, odd, {"model_id": "b"}]).models()] == ["a", "b"]
    assert [record.uuid for record in served({"items": [odd, {"uuid": "a"}]}).billings()] == ["a"]
    assert [task.id for task in served({"items": [{"id": "a"}, odd]}).tasks()] == ["a"]
    assert caplog.messages == [f"1 of {rows} rows of a list cannot be read and are left out." for rows in (3, 2, 2)]


@pytest.mark.parametrize("rows", [[5], [{}, None], 5, "x", {"a": 1}], ids=json.dumps)
def test_a_list_without_a_readable_row_is_not_taken_for_an_empty_one(served: Any, rows: Any) -> None:
    for read in (
        lambda: served(rows).models(),
        lambda: served({"items": rows}).billings(),
        lambda: served({"items": rows}).tasks(),
    ):
        with pytest.raises(UnexpectedResponseError, match="cannot be read"):
            read()


def test_null_in_place_of_a_list_is_an_empty_list(served: Any) -> None:
    assert served(None, code=200).models() == []
    assert served({"items": None}).billings() == []


def test_an_odd_row_does_not_end_the_listing(served: Any, raw_server: RawServer) -> None:
    ws = served({"items": [5, *({"uuid": f"{number}"} for number in range(99))]})
    raw_server.responses.append(http(200, b'{"data": {"items": [{"uuid": "last"}]}}'))
    assert ws.billings()[-1].uuid == "last"
    assert len(raw_server.requests) == 2


@pytest.mark.parametrize("rest", [[[5]], [[None] * 100, [{"uuid": "last"}]]], ids=["one row", "a whole page"])
def test_a_later_page_of_odd_rows_loses_no_row_of_the_others(served: Any, raw_server: RawServer, rest: Any) -> None:
    ws = served({"items": [{"uuid": f"{number}"} for number in range(100)]})
    raw_server.responses += [http(200, json.dumps({"data": {"items": rows}}).encode()) for rows in rest]
    assert len(ws.billings()) == 99 + len(rest)
    assert len(raw_server.requests) == 1 + len(rest)


def test_a_later_page_without_a_readable_task_loses_no_task(served: Any, raw_server: RawServer) -> None:
    ws = served({"items": [{"id": f"task-{number}"} for number in range(100)]})
    raw_server.responses.append(http(200, b'{"data": {"items": [{"id": 5}]}}'))
    assert len(ws.tasks()) == 100


def test_a_failing_log_filter_loses_no_row(served: Any) -> None:
    def broken(_: logging.LogRecord) -> bool:
        raise RuntimeError("broken")

    logger = logging.getLogger("wavespeed_client")
    logger.addFilter(broken)
    try:
        assert served([{"model_id": "a"}, 5]).models() == [Model("a")]
    finally:
        logger.removeFilter(broken)


@pytest.mark.parametrize(
    ("data", "count"), [({"deleted_count": 2}, 2), ({"deleted_count": "2"}, None), ({}, None), (None, None), ([], None)]
)
def test_a_deletion_without_a_count_succeeds(served: Any, data: Any, count: int | None) -> None:
    assert served(data, code=200, message="success").delete("abc") == count


def test_the_count_of_deletions_is_none_if_one_response_has_no_count(served: Any, raw_server: RawServer) -> None:
    ws = served({"deleted_count": 100})
    raw_server.responses.append(http(200, b'{"code": 200, "data": {}}'))
    assert ws.delete(*(f"task-{number}" for number in range(150))) is None
    assert len(raw_server.requests) == 2


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b"{}", b'{"code": 500, "message": "No."}', b'{"data": null}'])
def test_a_response_that_does_not_say_success_is_no_deletion(
    connect: Connect, raw_server: RawServer, body: bytes
) -> None:
    raw_server.responses.append(http(200, body))
    with pytest.raises(WaveSpeedError, match=r"outside the contract|No\."):
        connect(base_url=raw_server.url, max_retries=0).delete("abc")


@pytest.mark.parametrize("row", [Model("a/b", api_schema={"x": 1}), Price(1), Billing("a"), UsageStats()])
def test_rows_can_be_pickled_and_hashed_and_not_changed(row: Any) -> None:
    assert pickle.loads(pickle.dumps(row)) == row
    assert hash(row) == hash(pickle.loads(pickle.dumps(row)))
    with pytest.raises(AttributeError):
        row.raw = {}


def test_importing_rows_loads_no_network_library() -> None:
    program = "import sys; from wavespeed_client import Billing, Model, UsageStats; print('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"


def test_generated_code_reads_each_row_separately() -> None:
    from wavespeed_api import models

    page = models.BillingPage.from_dict({"items": [{"uuid": "a", "billing_type": "deduct", "price": 1}, {}, None, 5]})
    assert isinstance(page.items, list)
    assert isinstance(page.items[0], models.Billing)
    assert page.items[1:] == [{}, None, 5]
