"""The contract and the oracle agree on every exchange, right or wrong, unless the contract has a rule of its own.

Exchanges are made from two documents: the API's own, and another one that has what this API has not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from attrs import frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.conftest import ROOT
from tests.contract.document import SPEC
from tests.contract.oracle import Oracle
from wavespeed_client.testing import Contract, ContractError, Request, Response
from wavespeed_client.testing.errors import NoOperationError
from wavespeed_client.testing.routes import METHODS, resolved

SHOP: dict[str, Any] = YAML(typ="safe").load(ROOT / "tests" / "scripts" / "data" / "printshop.yaml")
DOCUMENTS = {"api": SPEC, "shop": SHOP}

often = settings(
    max_examples=25, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@frozen
class Place:
    """An operation, and where it is in its document."""

    document: str
    path: str
    method: str
    operation: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        return resolved(DOCUMENTS[self.document], node)

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return [self.resolved(one) for one in self.operation.get("parameters", ())]


def places(part: str) -> Iterator[Place]:
    for name, document in DOCUMENTS.items():
        for path, item in document[part].items():
            yield from (Place(name, path, method.upper(), item[method]) for method in METHODS if method in item)


@cache
def both(document: str) -> tuple[Contract, Oracle]:
    return Contract(DOCUMENTS[document]), Oracle(DOCUMENTS[document])


def accepts(check: Callable[[], None]) -> bool:
    try:
        check()
    except ContractError:
        return False
    return True


# Values that fit a schema, and values that do not

ODD = (
    st.none()
    | st.booleans()
    | st.integers(-2, 9)
    | st.sampled_from([0.5, 1.0, "", "a", "http://[", "b:c", "é", [], {}])
)
WORDS = [
    "5",
    "500",
    "x",
    "",
    "..",
    "a.b",
    "api",
    "waiting",
    "true",
    "b:c",
    "http://[",
    "nowhere",
    "2026-01-01T00:00:00Z",
    "a%2Fb",
]
KEYS = ["Bearer test-key", "bearer test-key", "Bearer ", "Bearer", "test-key", "Basic test-key", None]
TYPES = ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "text/plain", "text/html", "", None]


def fitting(place: Place, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for values that often fit a schema, with an odd one somewhere else."""
    schema = place.resolved(schema)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return st.one_of([fitting(place, one) for one in schema[key]]) | ODD
    if "allOf" in schema:
        merged = st.tuples(*(fitting(place, one) for one in schema["allOf"]))
        return merged.map(
            lambda parts: {key: value for part in parts if isinstance(part, dict) for key, value in part.items()}
        )
    if "enum" in schema:
        return st.sampled_from([*schema["enum"], "another word"])
    kinds = schema.get("type", "string")
    return st.one_of([of_type(place, schema, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)])


def of_type(place: Place, schema: dict[str, Any], kind: str) -> st.SearchStrategy[Any]:
    match kind:
        case "object":
            required = schema.get("required", ())
            fields = {
                key: st.deferred(lambda one=one: fitting(place, one))
                for key, one in schema.get("properties", {}).items()
            }
            given_ = st.fixed_dictionaries(
                {key: value for key, value in fields.items() if key in required},
                optional={**{key: value for key, value in fields.items() if key not in required}, "further": ODD},
            )
            less = given_.flatmap(
                lambda whole: (
                    st.sampled_from(sorted(whole)).map(lambda key: without(whole, key)) if whole else st.just({})
                )
            )
            return st.one_of(given_, given_, given_, less, ODD)
        case "array":
            return st.lists(fitting(place, schema.get("items", {})), max_size=2)
        case "string":
            return st.sampled_from(["a", "b:c", "2026-01-01T00:00:00.123456789Z", "4111111111111111"]) | ODD
        case "integer" | "number":
            return st.sampled_from([1, 7, 0, 101, 1.0, 0.5, True, "1"])
        case _:
            return {"boolean": st.booleans(), "null": st.none()}[kind]


def without(whole: dict[str, Any], key: str) -> dict[str, Any]:
    return {other: value for other, value in whole.items() if other != key}


@st.composite
def requests(draw: Any, place: Place) -> Request:
    """Draw a request for an operation, of which any part may be wrong."""
    path, query, headers = place.path, [], {"Host": "x"}
    for parameter in place.parameters:
        usual = [str(parameter["example"])] * 9 if "example" in parameter else ["5", "waiting", "abc"] * 3
        value = draw(st.sampled_from([*usual, *WORDS]))
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", value)
        elif parameter["in"] == "query":
            query += [(parameter["name"], value)] * draw(st.sampled_from([0, 1, 1, 1, 2]))
        elif draw(st.booleans()):
            headers[parameter["name"]] = value
    query += draw(st.sampled_from([[]] * 5 + [[("further", "1")]]))
    key = draw(st.sampled_from(["Bearer test-key"] * 9 + KEYS))
    headers |= {} if key is None else {"Authorization": key}
    content_type, body = draw(sent(place))
    headers |= {} if content_type is None else {"Content-Type": content_type}
    method = draw(st.sampled_from([place.method] * 9 + ["GET", "POST", "DELETE"]))
    return Request(method, path + (f"?{urlencode(query)}" if query else ""), headers, body)


@st.composite
def sent(draw: Any, place: Place) -> tuple[str | None, bytes]:
    """Draw a body and its type."""
    content = place.resolved(place.operation.get("requestBody", {})).get("content", {})
    if "multipart/form-data" in content and draw(st.integers(0, 5)):
        names = draw(st.lists(st.sampled_from(["file", "file", "tags", "other"]), max_size=3))
        parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n\r\nb\r\n' for name in names]
        return "multipart/form-data; boundary=x", ("".join(parts) + "--x--\r\n").encode()
    if not content:
        return draw(st.sampled_from([(None, b""), ("application/json", b"{}")]))
    schema = content.get("application/json", {}).get("schema", {})
    body = json.dumps(draw(fitting(place, schema) | ODD)).encode()
    return draw(st.sampled_from(["application/json"] * 9 + TYPES)), draw(st.sampled_from([body] * 9 + [b"", b"{"]))


@st.composite
def responses(draw: Any, place: Place) -> Response:
    """Draw a response of an operation, of which any part may be wrong."""
    wanted = place.operation["responses"]
    status = draw(st.sampled_from([200, 201, 204, 302, 400, 404, 409, 418, 429, 500, 502, 503]))
    found = place.resolved(wanted.get(str(status)) or wanted.get(f"{status // 100}XX") or wanted.get("default") or {})
    schema = found.get("content", {}).get("application/json", {}).get("schema", {})
    body = json.dumps(draw(fitting(place, schema) if schema else ODD)).encode()
    content_type = draw(st.sampled_from(["application/json"] * 9 + TYPES))
    return Response(status, draw(st.sampled_from([body] * 9 + [b"", b"{"])), content_type)


# Rules of the contract that openapi-core lacks


def is_refused_by_rule(place: Place, contract: Contract, request: Request) -> bool:
    """Return whether a request has what openapi-core ignores: no key, or an unknown parameter or part."""
    try:
        operation = contract.routes.find(request).operation
    except NoOperationError:
        return False
    names = [name for name, _ in parse_qsl(request.query, keep_blank_values=True)]
    known = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
    parts = request.body.count(b'name="file"') if "multipart" in request.headers.get("Content-Type", "") else 0
    form = operation.get("requestBody", {}).get("content", {}).get("multipart/form-data", {}).get("schema", {})
    closed = place.resolved(form).get("additionalProperties") is False
    unknown_part = closed and (b'name="tags"' in request.body or b'name="other"' in request.body)
    unknown = request.method != "GET" and not known.issuperset(names)
    has_no_key = operation.get("security") != [] and request.headers.get("Authorization", "") == "Bearer "
    return has_no_key or unknown or any(names.count(name) > 1 for name in known) or parts > 1 or unknown_part


@pytest.mark.parametrize("place", list(places("paths")), ids=str)
@often
@given(data=st.data())
def test_the_contract_and_the_oracle_agree_on_requests(place: Place, data: st.DataObject) -> None:
    contract, oracle = both(place.document)
    request = data.draw(requests(place))
    wanted = oracle.accepts_request(request) and not is_refused_by_rule(place, contract, request)
    assert accepts(lambda: contract.check_request(request)) == wanted


@pytest.mark.parametrize("place", list(places("paths")), ids=str)
@often
@given(data=st.data())
def test_the_contract_and_the_oracle_agree_on_responses(place: Place, data: st.DataObject) -> None:
    contract, oracle = both(place.document)
    path = place.path
    for parameter in place.parameters:
        path = path.replace(f"{{{parameter['name']}}}", str(parameter.get("example", "5")))
    request, response = Request(place.method, path, {}), data.draw(responses(place))
    is_a_gateways = response.status >= 400 and "json" not in (response.content_type or "").lower()
    wanted = is_a_gateways or oracle.accepts_response(request, response)
    assert accepts(lambda: contract.check_response(request, response)) == wanted


@pytest.mark.parametrize("place", list(places("webhooks")), ids=str)
@often
@given(data=st.data())
def test_the_contract_and_the_oracle_agree_on_webhooks(place: Place, data: st.DataObject) -> None:
    contract, oracle = both(place.document)
    call = data.draw(requests(place))
    name = data.draw(st.sampled_from([place.path] * 9 + ["another"]))
    call.target = data.draw(st.sampled_from(["/", "/hook", "/hook?token=1"]))
    assert accepts(lambda: contract.check_webhook(name, call)) == oracle.accepts_webhook(name, call)
