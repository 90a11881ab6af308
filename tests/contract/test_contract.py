"""The contract accepts what the document describes, and rejects everything else for the right reason."""

import re
from typing import Any

import pytest

from wavespeed_client import ConfigurationError
from wavespeed_client.testing import Contract, ContractError, Request, Response

KEY = {"Authorization": "Bearer test-key"}
JSON = {**KEY, "Content-Type": "application/json"}
FORM = {**KEY, "Content-Type": "multipart/form-data; boundary=x"}
FLUX = "/api/v3/wavespeed-ai/flux-dev"
BINARY = "/api/v3/media/upload/binary"


def form(*names: str) -> bytes:
    """Return a form with these parts."""
    parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n\r\nb\r\n' for name in names]
    return ("".join(parts) + "--x--\r\n").encode()


@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", FLUX, JSON, b'{"prompt": "a cat", "width": 512, "anything": [1]}'),
        Request("POST", f"{FLUX}?webhook=https%3A%2F%2Fexample.com%2Fhook", JSON, b"{}"),
        Request("POST", f"{FLUX}/turbo", JSON, b'{"webhook_url": "https://example.com/hook"}'),
        Request("POST", "/api/v3/a.b_c/D-1.0", JSON, b"{}"),
        Request("GET", "/api/v3/predictions/Az09_-/result", KEY),
        Request("GET", "/api/v3/predictions/Az09_-", KEY),
        Request("GET", "/api/v3/models?page=2&size=10&page=3", KEY),
        Request("POST", BINARY, FORM, form("file")),
    ],
    ids=lambda request: f"{request.method} {request.target}",
)
def test_requests_within_the_contract_are_accepted(contract: Contract, request_: Request) -> None:
    contract.check_request(request_)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Request("POST", FLUX, JSON, b'{"prompt": 1}'), "prompt 1 is not of type 'string'"),
        (Request("POST", FLUX, JSON, b'{"width": "wide"}'), "width 'wide' is not of type 'integer'"),
        (Request("POST", FLUX, JSON, b'{"webhook_url": "nowhere"}'), "'nowhere' is not a 'uri'"),
        (Request("POST", FLUX, JSON, b"[]"), "is not of type 'object'"),
        (Request("POST", FLUX, JSON, b"{"), "not JSON"),
        (Request("POST", FLUX, JSON, b"\xff\xfe{"), "not JSON"),
        (Request("POST", FLUX, JSON, b"\xef\xbb\xbf{}"), "not JSON"),
        (Request("POST", FLUX, JSON, b'{"cfg": NaN}'), "NaN is not JSON"),
        (Request("POST", FLUX, JSON, b"[" * 100000), "nested too deep"),
        (Request("POST", FLUX, JSON), "the body is missing .application/json"),
        (
            Request("POST", FLUX, {**KEY, "Content-Type": "text/plain"}, b"{}"),
            "Content-Type must be one of: app",
        ),
        (
            Request("POST", f"{FLUX}?webhook=nowhere", JSON, b"{}"),
            "'webhook': 'nowhere' is not a 'uri'",
        ),
        (Request("POST", FLUX, {"Content-Type": "application/json"}, b"{}"), "the API key is missing \\(apiKey"),
        (Request("POST", FLUX, {**JSON, "Authorization": "test-key"}, b"{}"), "the API key is missing \\(apiKey"),
        (Request("PUT", FLUX, JSON, b"{}"), "only POST"),
        (Request("POST", "/api/v3/flux-dev", JSON, b"{}"), "no such path"),
        (Request("POST", f"{FLUX}/a/b", JSON, b"{}"), "no such path"),
        (Request("POST", "/api/v3/wavespeed-ai%2Fflux-dev", JSON, b"{}"), "no such path"),
        (Request("POST", "/api/v3/wavespeed-ai/flux%2Fdev", JSON, b"{}"), "does not match"),
        (Request("POST", "/api/v3/api/v3/flux-dev", JSON, b"{}"), "path parameter 'provider': 'api' does not match"),
        (Request("POST", "/api/v3/../flux-dev", JSON, b"{}"), "no such path"),
        (Request("GET", "/api/v3/predictions/a.b/result", KEY), "path parameter 'prediction_id': 'a.b' does not match"),
        (Request("GET", "/predictions/abc/result", KEY), "no such path"),
        (Request("GET", "/api/v3/predictions/delete", KEY), "only POST"),
        (Request("POST", "/api/v3/predictions/abc", JSON, b"{}"), "only GET"),
        (Request("POST", f"{FLUX}?webhok=http://a/b", JSON, b"{}"), "unknown query parameter 'webhok'"),
        (Request("POST", BINARY, FORM, form("file", "other")), "'other' was unexpected.*known: file"),
        (Request("POST", BINARY, FORM, form("other")), "'other' was unexpected.*known: file"),
        (Request("POST", BINARY, FORM, b"--x\r\n1--x--\r\n"), "form cannot be read"),
    ],
    ids=lambda value: f"{value.method} {value.target}" if isinstance(value, Request) else "",
)
def test_requests_outside_the_contract_are_rejected_with_the_reason(
    contract: Contract, request_: Request, reason: str
) -> None:
    with pytest.raises(ContractError, match=reason):
        contract.check_request(request_)


def test_a_range_of_statuses_comes_before_the_default(contract: Contract) -> None:
    schema = {"type": "object", "required": ["z"]}
    responses = {
        "4XX": {"description": "No.", "content": {"application/json": {"schema": schema}}},
        "default": {"description": "Any.", "content": {"application/json": {"schema": {"type": "object"}}}},
    }
    operation = {"operationId": "get_it", "responses": responses}
    parameter = {"name": "x-id", "in": "path", "required": True, "schema": {"type": "string"}}
    paths = {"/a/{x-id}": {"parameters": [parameter], "get": operation}}
    own = Contract({"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": paths})
    with pytest.raises(ContractError, match="'z' is a required property"):
        own.check_response(Request("GET", "/a/1", {}), Response(404, b"{}"))
    own.check_response(Request("GET", "/a/1", {}), Response(500, b"{}"))


POLL = Request("GET", "/api/v3/predictions/abc/result", KEY)


@pytest.mark.parametrize(
    "response",
    [
        Response(200, b'{"data": {"id": "abc"}}'),
        Response(
            200, b'{"code": 200, "data": {"id": "abc", "status": "new-word", "created_at": null, "outputs": null}}'
        ),
        Response(200, b'{"data": {"id": "abc", "outputs": ["text", {"any": 1}], "new_field": 1}}'),
        Response(404, b"<html></html>", "text/html"),
        Response(418, b"I am a teapot", "text/plain"),
        Response(502, b"<html></html>", "text/html"),
        Response(503, b"", None),
        Response(418, b'{"code": 418}'),
    ],
)
def test_responses_within_the_contract_are_accepted(contract: Contract, response: Response) -> None:
    contract.check_response(POLL, response)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (Response(200, b'{"data": {}}'), "'id' is a required property"),
        (Response(200, b'{"data": {"id": 1}}'), "1 is not of type 'string'"),
        (Response(200, b'{"data": {"id": "abc", "outputs": [1]}}'), "not valid under any of the given schemas"),
        (Response(200, b"{}"), "'data' is a required property"),
        (Response(200, b""), "the body is missing"),
        (
            Response(200, b"<html></html>", "text/html"),
            "must be one of: application/json; it is text/html",
        ),
        (
            Response(200, b'{"data": {"id": "abc"}}', None),
            "must be one of: application/json; it is missing",
        ),
        (Response(404, b'{"code": "x"}'), "code 'x' is not of type 'integer', 'null'"),
        (Response(404, b"<html>"), "not JSON"),
    ],
)
def test_responses_outside_the_contract_are_rejected_with_the_reason(
    contract: Contract, response: Response, reason: str
) -> None:
    with pytest.raises(ContractError, match=reason):
        contract.check_response(POLL, response)


# Features that this API lacks, but other documents may have


def odd_document(*parameters: dict[str, Any], **operation: Any) -> dict[str, Any]:
    """Return a document with one operation."""
    whole = {"operationId": "get_it", "parameters": list(parameters), "responses": {"200": {"description": "All."}}}
    schemes = {
        "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "query": {"type": "apiKey", "in": "query", "name": "key"},
        "basic": {"type": "http", "scheme": "basic"},
        "tls": {"type": "mutualTLS"},
    }
    paths = {"/a": {"post": whole | operation}}
    node = {
        "type": "object",
        "properties": {"inner": {"$ref": "#/components/schemas/Node"}, "size": {"type": "integer"}},
    }
    return {"openapi": "3.1.0", "paths": paths, "components": {"securitySchemes": schemes, "schemas": {"Node": node}}}


def parameter(where: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "p", "in": where, "schema": schema, **more}


INTEGERS = {"type": "array", "items": {"type": "integer", "maximum": 9}}


@pytest.mark.parametrize(
    ("described", "target", "headers", "reason"),
    [
        (parameter("query", {"type": "integer", "maximum": 9}), "/a?p=9", {}, None),
        (parameter("query", {"type": "integer", "maximum": 9}), "/a?p=10", {}, "10 is greater than the maximum of 9"),
        (parameter("query", {"type": "integer"}), "/a?p=x", {}, "query parameter 'p': 'x' is not of type 'integer'"),
        (parameter("query", {"type": "boolean"}), "/a?p=true", {}, None),
        (parameter("query", {"type": "string"}), "/a?p=10", {}, None),
        (parameter("query", {"type": "string"}), "/a?p=", {}, "the query parameter 'p' is empty"),
        (parameter("query", {"type": "string"}, allowEmptyValue=True), "/a?p=", {}, None),
        (parameter("query", {"type": "string"}, required=True), "/a", {}, "the query parameter 'p' is missing"),
        (parameter("query", {"type": "string", "enum": ["a"]}), "/a?p=%22a%22", {}, "is not one of"),
        (parameter("query", INTEGERS), "/a?p=1&p=2", {}, None),
        (parameter("query", INTEGERS), "/a?p=1&p=12", {}, "p': 1 12 is greater"),
        (parameter("query", INTEGERS, explode=False), "/a?p=1,2", {}, None),
        (parameter("header", INTEGERS), "/a", {"P": "1, 2"}, None),
        (parameter("header", INTEGERS), "/a", {"P": "1, x"}, "header parameter 'p': 1 'x' is not of type"),
        (parameter("cookie", {"type": "integer"}), "/a", {"Cookie": "o=x; p=1"}, None),
        (parameter("cookie", {"type": "integer"}), "/a", {"Cookie": "o=1; p=x"}, "cookie parameter 'p': 'x' is not"),
        (parameter("header", {"type": "integer"}, name="Accept"), "/a", {"Accept": "*/*"}, None),
    ],
)
def test_parameters_are_read_as_their_schema_wants(
    described: dict[str, Any], target: str, headers: dict[str, str], reason: str | None
) -> None:
    assert_judged(Contract(odd_document(described)), Request("POST", target, headers), reason)


@pytest.mark.parametrize(
    ("security", "target", "headers", "reason"),
    [
        ([{"header": []}], "/a", {"x-key": "k"}, None),
        ([{"header": []}, {"basic": []}], "/a", {"Authorization": "Basic a2V5"}, None),
        ([{"header": []}, {"basic": []}], "/a", {"X-Key": ""}, "the API key is missing .header or basic"),
        ([{"query": [], "header": []}], "/a?key=k", {"X-Key": "k"}, None),
        ([{"query": [], "header": []}], "/a?key=k", {}, "the API key is missing .query and header"),
        ([{"basic": []}, {}], "/a", {}, None),
        ([{"tls": []}], "/a", {}, None),
        ([], "/a", {}, None),
    ],
)
def test_a_key_is_expected_where_the_document_puts_it(
    security: list[Any], target: str, headers: dict[str, str], reason: str | None
) -> None:
    described = [parameter("query", {}, name="key")]
    assert_judged(Contract(odd_document(*described, security=security)), Request("POST", target, headers), reason)


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        ("application/x-www-form-urlencoded", b"size=5&inner=%7B%7D&more=x", None),
        ("application/x-www-form-urlencoded", b"size=x", "size 'x' is not of type 'integer'"),
        ("application/x-www-form-urlencoded", b"size=1&size=2", "the part 'size' of the form was sent more than once"),
        ("application/json", b'{"inner": {"inner": {"inner": {"size": 1}}}}', None),
        ("application/problem+json", b'{"inner": {"inner": {"size": "x"}}}', "inner/inner/size 'x' is not of type"),
        ("text/plain", "\u00e4".encode(), None),
        ("text/csv", b"abcd", "'abcd' is too long"),
        ("image/png", b"\xff", "Content-Type must be one of: application/"),
        ("application/json", b'{"size": "' + b"x" * 10000 + b'"}', "^.{100,600} is not of type 'integer'$"),
        ("application/json", b"", None),
        (None, b"", None),
        (None, b"a", "it is missing"),
    ],
)
def test_bodies_are_read_as_their_media_type_says(content_type: str | None, body: bytes, reason: str | None) -> None:
    node = {"schema": {"$ref": "#/components/schemas/Node"}}
    content = {"application/*": node, "text/*": {"schema": {"type": "string", "maxLength": 3}}}
    headers = {} if content_type is None else {"Content-Type": content_type}
    contract = Contract(odd_document(requestBody={"content": content}))
    assert_judged(contract, Request("POST", "/a", headers, body), reason)


def assert_judged(contract: Contract, request: Request, reason: str | None) -> None:
    if reason is None:
        contract.check_request(request)
    else:
        with pytest.raises(ContractError, match=reason):
            contract.check_request(request)


def test_a_document_that_describes_an_uncheckable_value_is_refused() -> None:
    for described, problem in [
        (
            parameter("query", {"type": "object"}),
            "'p' cannot be checked: its schema must not be an object",
        ),
        (parameter("query", INTEGERS, style="pipeDelimited"), "cannot be checked: use style: form and a schema"),
        ({"name": "p", "in": "header", "content": {"application/json": {}}}, "use style: simple and a schema"),
    ]:
        with pytest.raises(ConfigurationError, match=problem):
            Contract(odd_document(described))


def test_a_webhook_or_method_that_the_document_lacks_is_named(contract: Contract) -> None:
    with pytest.raises(ContractError, match="webhook nothing: POST: no such webhook"):
        contract.check_webhook("nothing", Request("POST", "/", {}))
    with pytest.raises(ContractError, match="webhook taskFinished: PUT: only POST"):
        contract.check_webhook("taskFinished", Request("PUT", "/", {}))


SCHEMA = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/None"}}}}


@pytest.mark.parametrize(
    ("item", "reference"),
    [
        ({"get": {"responses": {"200": {"$ref": "#/components/responses/None"}}}}, "#/components/responses/None"),
        ({"get": {"responses": {"200": SCHEMA}}}, "#/components/schemas/None"),
        ({"get": {"parameters": [{"$ref": "other.yaml#/p"}]}}, "other.yaml#/p"),
        ({"get": {"security": [{"none": []}]}}, "#/components/securitySchemes/none"),
        ({"$ref": "#/paths/~1b"}, "#/paths/~1b"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named(item: dict[str, Any], reference: str) -> None:
    def check() -> None:
        contract, request = Contract({"paths": {"/a": item}}), Request("GET", "/a", {})
        contract.check_request(request)
        contract.check_response(request, Response(200, b"{}"))

    with pytest.raises(ConfigurationError, match=f"The document has no {re.escape(reference)}"):
        check()


def test_a_path_may_be_a_reference_and_responses_may_be_left_out() -> None:
    contract = Contract(
        {"paths": {"/a": {"$ref": "#/components/pathItems/a"}}, "components": {"pathItems": {"a": {"get": {}}}}}
    )
    contract.check_response(Request("GET", "/a", {}), Response(204, b"", None))
    with pytest.raises(ContractError, match="only GET"):
        contract.check_request(Request("PUT", "/a", {}))


def test_a_document_that_was_not_read_is_refused() -> None:
    with pytest.raises(ValueError, match=r"document must be an OpenAPI document, .*, not 'openapi\.yaml'"):
        Contract("openapi.yaml")  # type: ignore[arg-type]
