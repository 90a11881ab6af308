"""Requests and responses of the service's own clients (tests/data/clients.json), checked against the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import ROOT
from wavespeed_client.testing import Contract, ContractError, Request
from wavespeed_client.testing.wire import Response

CLIENTS = json.loads((ROOT / "tests" / "data" / "clients.json").read_bytes())
KEY = {"Authorization": "Bearer test-key"}
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f.png"\r\n\r\nbytes\r\n--x--\r\n'


def request_of(case: dict[str, Any]) -> Request:
    if "form" in case:
        return Request(case["method"], case["path"], {**KEY, "Content-Type": "multipart/form-data; boundary=x"}, FORM)
    body = json.dumps(case["body"]).encode() if "body" in case else b""
    return Request(
        case["method"], case["path"], {**KEY, **({"Content-Type": "application/json"} if body else {})}, body
    )


def named(case: dict[str, Any]) -> str:
    return f"{case['client']}: {case.get('does', case.get('reads'))}"


@pytest.mark.parametrize("case", CLIENTS["requests"], ids=named)
def test_requests_of_other_clients_fit_the_contract_if_the_service_takes_them(
    contract: Contract, case: dict[str, Any]
) -> None:
    request = request_of(case)
    if "refused" in case:
        with pytest.raises(ContractError):
            contract.check_request(request)
        return
    contract.check_request(request)
    assert contract.routes.find(request).operation["operationId"] == case["operation"]


@pytest.mark.parametrize("case", CLIENTS["responses"], ids=named)
def test_fields_that_other_clients_read_are_in_the_contract(contract: Contract, case: dict[str, Any]) -> None:
    sent = Request(case["method"], case["path"], KEY)
    contract.check_response(sent, Response(case["status"], json.dumps(case["body"]).encode()))
