"""Changes that the generated code follows or that scripts/regenerate.py refuses; see data/regenerations.yaml."""

import copy
import datetime
import importlib
import io
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from filelock import FileLock
from ruamel.yaml import YAML

from tests.conftest import ROOT
from tests.servers.raw import RawServer

DATA = Path(__file__).parent / "data"

sys.path.insert(0, str(ROOT / "scripts"))
from generation.package import build  # noqa: E402
from generation.refusal import SpecError, one_line  # noqa: E402

CASES: list[dict[str, Any]] = YAML(typ="safe").load(DATA / "regenerations.yaml")
SHOP: dict[str, Any] = YAML(typ="safe").load(DATA / "printshop.yaml")
REFUSED = [case for case in CASES if "refused" in case]
CARRIED_OUT = [case for case in CASES if "refused" not in case]


def with_case(spec: dict[str, Any], case: dict[str, Any], name: str, prefix: str = "") -> dict[str, Any]:
    """Return a document with one more operation."""
    spec = copy.deepcopy(spec) | case.get("root", {})
    response = {"description": "Fine."} | ({"content": case["response"]} if "response" in case else {})
    operation = {"operationId": name, "tags": ["cases"], "responses": {"200": response}}
    if "parameters" in case:
        operation["parameters"] = case["parameters"]
    if "body" in case:
        operation["requestBody"] = {"required": True, "content": case["body"]}
    operation |= case.get("operation", {})
    spec["paths"][prefix + case.get("path", "/case")] = {case.get("method", method(case)): operation}
    spec["components"]["schemas"] |= case.get("schemas", {})
    spec["components"]["parameters"] |= case.get("shared", {})
    return spec


def method(case: dict[str, Any]) -> str:
    return "post" if "body" in case else "get"


# Refused


@pytest.mark.parametrize("case", REFUSED, ids=[case["change"] for case in REFUSED])
def test_a_change_that_would_not_be_carried_out_is_refused_with_its_place(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refusal:
        build(with_case(SHOP, case, "try_case"), tmp_path / "package")
    said = one_line(str(refusal.value))
    assert case["refused"] in said
    assert " object at 0x" not in str(refusal.value)


# Carried out


@pytest.fixture(scope="module")
def package(shared: Path) -> Iterator[Path]:
    """A package with all other cases, each under its own path."""
    spec = copy.deepcopy(SHOP)
    for number, case in enumerate(CARRIED_OUT):
        spec = with_case(spec, case, f"case_{number}", f"/{number}")
    folder = shared / "regenerations"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            folder.mkdir()
            build(spec, folder / "carried_out")
    sys.path.insert(0, str(folder))
    yield folder / "carried_out"
    sys.path.remove(str(folder))


def argument(value: Any) -> Any:
    """Return a value for a generated function."""
    if isinstance(value, list):
        return [argument(each) for each in value]
    if not isinstance(value, dict) or "is" not in value:
        return value
    match value["is"], value["value"]:
        case "date", text:
            return datetime.date.fromisoformat(text)
        case "date-time", text:
            return datetime.datetime.fromisoformat(text)
        case "uuid", text:
            return uuid.UUID(text)
        case "file", text:
            return importlib.import_module("carried_out.types").File(io.BytesIO(text.encode()), "name")
        case name, fields:
            model = getattr(importlib.import_module("carried_out.models"), name)
            given = {key: each for key, each in fields.items() if not isinstance(each, dict) or "is" not in each}
            others = {key: argument(each) for key, each in fields.items() if key not in given}
            return model(**given, **others) if others else model.from_dict(given)


@pytest.mark.filterwarnings("ignore:Setting per-request cookies")
@pytest.mark.parametrize("number", range(len(CARRIED_OUT)), ids=[case["change"] for case in CARRIED_OUT])
def test_a_change_that_is_carried_out_is_right_on_the_wire(number: int, package: Path, raw_server: RawServer) -> None:
    case = CARRIED_OUT[number]
    reply = case.get("responds", {"type": "application/json", "body": "{}"})
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {reply['type']}\r\nContent-Length: {len(reply['body'])}\r\n\r\n"
    raw_server.responses.append((head + reply["body"]).encode())
    function = importlib.import_module(f"carried_out.api.cases.case_{number}").sync_detailed
    with importlib.import_module("carried_out").Client(base_url=raw_server.url) as client:
        response = function(**{name: argument(value) for name, value in case["call"].items()}, client=client)

    (request,) = raw_server.requests
    line, _, rest = request.partition(b"\r\n")
    head_bytes, _, body = rest.partition(b"\r\n\r\n")
    headers = httpx.Headers([tuple(each.split(b": ", 1)) for each in head_bytes.split(b"\r\n")])
    sends = case["sends"]
    verb, target = sends["target"].split(" ")
    assert line.decode() == f"{verb} /{number}{target} HTTP/1.1"
    assert {name: headers.get(name) for name in sends.get("headers", {})} == sends.get("headers", {})
    if "json" in sends:
        assert json.loads(body) == sends["json"]
    if "text" in sends:
        assert body.decode() == sends["text"]
    assert [part for part in sends.get("holds", []) if part.encode() not in body] == []
    if "reads" in case:
        assert response.parsed == case["reads"]


def test_changes_that_are_carried_out_have_right_types(package: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", str(package)]
    done = subprocess.run(command, cwd=package.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
