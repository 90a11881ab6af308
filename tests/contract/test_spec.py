"""The spec as people read it: everything is described, nothing is unused, and no response is too strict."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.document import resolved
from wavespeed_client import AsyncWaveSpeed, WaveSpeed


def nodes(node: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every mapping of the document, with the path to it."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            if key not in ("example", "examples"):
                yield from nodes(value, f"{path}/{key}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from nodes(value, f"{path}/{number}")


def test_every_schema_and_property_is_described(spec: dict[str, Any]) -> None:
    for name, schema in spec["components"]["schemas"].items():
        assert schema.get("description"), name
        for key, value in schema.get("properties", {}).items():
            assert value.get("description") or "$ref" in value, f"{name}.{key}"


def test_every_parameter_response_and_operation_is_described(spec: dict[str, Any]) -> None:
    for name, parameter in spec["components"]["parameters"].items():
        assert parameter["description"], name
        assert "description" not in parameter["schema"], name
        assert "example" in parameter, name
        assert "pattern" in parameter["schema"] or parameter["in"] != "path", name
    for name, response in spec["components"]["responses"].items():
        assert response["description"], name
    for path, item in spec["paths"].items():
        for operation in item.values():
            assert operation["summary"], path
            assert operation["description"], path


# What the service's submit page says of each status.
SUBMISSION_ERRORS = {
    "400": "Invalid parameters",
    "401": "Invalid API key",
    "403": "Account issue",
    "429": "Rate limit exceeded",
    "500": "Server error",
}


def test_every_operation_describes_its_own_errors(spec: dict[str, Any]) -> None:
    responses = spec["components"]["responses"]
    for item in spec["paths"].values():
        for operation in item.values():
            named = {status: node.get("$ref", "").rpartition("/")[2] for status, node in operation["responses"].items()}
            if operation["operationId"].startswith("submit"):
                assert set(named) == {"200", *SUBMISSION_ERRORS, "4XX", "5XX"}
                for status, meaning in SUBMISSION_ERRORS.items():
                    assert responses[named[status]]["description"].startswith(meaning)
            else:
                assert set(named) - {"404"} == {"200", "401", "429", "4XX", "5XX"}
                said = " ".join(responses[name]["description"] for name in named.values() if name)
                assert "started" not in said, "only a submission starts anything"


def test_a_temporary_status_has_the_header_retry_after(spec: dict[str, Any]) -> None:
    for item in spec["paths"].values():
        for operation in item.values():
            for status in ("429", "5XX"):
                name = operation["responses"][status]["$ref"].rpartition("/")[2]
                assert "Retry-After" in spec["components"]["responses"][name]["headers"]


def test_no_component_is_named_as_a_property_of_another_one(spec: dict[str, Any]) -> None:
    """Generators give such a name to the schema inside the property, and confuse the two."""
    schemas = spec["components"]["schemas"]
    for parent, schema in schemas.items():
        for key in schema.get("properties", {}):
            assert parent + "".join(word[:1].upper() + word[1:] for word in key.split("_")) not in schemas


def test_webhooks_and_operations_have_different_tags(spec: dict[str, Any]) -> None:
    tags = {tag for item in spec["paths"].values() for operation in item.values() for tag in operation["tags"]}
    called = {tag for item in spec["webhooks"].values() for tag in item["post"]["tags"]}
    assert not tags & called
    assert tags | called == {tag["name"] for tag in spec["tags"]}


def test_a_submission_links_to_its_result(spec: dict[str, Any]) -> None:
    (link,) = spec["components"]["responses"]["TaskAccepted"]["links"].values()
    assert link["operationId"] == "get_result"
    assert link["parameters"] == {"prediction_id": "$response.body#/data/id"}


def test_every_component_is_used(spec: dict[str, Any]) -> None:
    used = {node["$ref"] for _, node in nodes(spec) if "$ref" in node}
    for kind, members in spec["components"].items():
        for name in members if kind != "securitySchemes" else ():
            assert f"#/components/{kind}/{name}" in used


def test_security_is_set_only_at_document_level(spec: dict[str, Any]) -> None:
    assert spec["security"] == [{"apiKey": []}]
    assert all("security" not in operation for item in spec["paths"].values() for operation in item.values())


@pytest.mark.parametrize(
    ("name", "required"),
    [
        ("Prediction", ["id"]),
        ("PredictionEnvelope", ["data"]),
        ("PredictionPage", ["items"]),
        ("PredictionPageEnvelope", ["data"]),
        ("Durations", []),
        ("TaskAddresses", []),
        ("DeletionEnvelope", []),
        ("Deletion", []),
        ("UploadTicket", ["download_url", "upload"]),
        ("UploadTarget", ["url"]),
        ("Upload", ["download_url"]),
        ("ModelsEnvelope", ["data"]),
        ("Model", ["model_id"]),
        ("Price", ["price", "discounted_price"]),
        ("UsageStats", []),
        ("ModelUsage", ["model_uuid", "total_cost", "total_count"]),
        ("DailyUsage", ["date", "amount", "count"]),
        ("DailyModelUsage", ["model_uuid", "amount", "count"]),
        ("UsageSummary", []),
        ("BillingPage", ["items"]),
        ("Billing", ["uuid", "billing_type", "price"]),
        ("BilledOrder", []),
        ("BilledTask", []),
        ("ErrorEnvelope", []),
    ],
)
def test_responses_require_little_and_allow_null(spec: dict[str, Any], name: str, required: list[str]) -> None:
    schema = spec["components"]["schemas"][name]
    assert schema.get("required", []) == required
    assert schema["additionalProperties"] is True
    for key, value in schema["properties"].items():
        members = [resolved(value), *value.get("anyOf", [])]
        certain = key == "data" or (key in required and key != "items")
        assert certain or any("null" in member.get("type", ()) for member in members), f"{name}.{key}"


def test_a_row_of_a_list_may_be_odd(spec: dict[str, Any]) -> None:
    """So generated code reads each row separately, and keeps a row that it cannot read unchanged."""
    lists = [("PredictionPage", "items"), ("BillingPage", "items"), ("ModelsEnvelope", "data")]
    lists += [("UsageStats", "per_model_usage"), ("UsageStats", "daily_usage"), ("DailyUsage", "models")]
    for name, key in lists:
        rows = spec["components"]["schemas"][name]["properties"][key]["items"]
        assert [member for member in rows["anyOf"] if "$ref" not in member] == [{"type": "null"}]


def test_every_verb_of_the_spec_exists_on_both_clients(spec: dict[str, Any]) -> None:
    for item in spec["paths"].values():
        for operation in item.values():
            verb = operation.get("x-verb")
            assert verb is None or (callable(getattr(WaveSpeed, verb)) and callable(getattr(AsyncWaveSpeed, verb)))
            assert verb or operation["operationId"] == "upload_binary"
