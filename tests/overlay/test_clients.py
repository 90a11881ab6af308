"""The two clients have the same methods, and behave when they are closed, printed, copied or imported."""

import copy
import inspect
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import wavespeed_client
from tests.conftest import Connect, Driven
from wavespeed_client import AsyncWaveSpeed, ConfigurationError, Task, WaveSpeed
from wavespeed_client.files.kinds import FileInput
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("misuse")

TWIN = {"close": "aclose", "__enter__": "__aenter__", "__exit__": "__aexit__"}


def surface(kind: type) -> dict[str, inspect.Signature]:
    functions = {name: value for name, value in vars(kind).items() if inspect.isfunction(value)}
    return {name: inspect.signature(function) for name, function in functions.items()}


def test_both_clients_have_the_same_verbs_with_the_same_arguments() -> None:
    expected = {TWIN.get(name, name): str(signature) for name, signature in surface(WaveSpeed).items()}
    found = {name: str(signature).replace("Async", "") for name, signature in surface(AsyncWaveSpeed).items()}
    own = " transport: \"Literal['httpx', 'aiohttp']\" = 'httpx',"
    assert own in found["__init__"]
    assert found | {"__init__": found["__init__"].replace(own, "")} == expected


def test_every_async_verb_points_to_its_sync_twin() -> None:
    for name, method in vars(AsyncWaveSpeed).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            twin = {value: key for key, value in TWIN.items()}.get(name, name)
            assert method.__doc__ == f"Async `WaveSpeed.{twin}`."
            returned = inspect.signature(method).return_annotation
            assert inspect.iscoroutinefunction(method) or returned.startswith(
                ("AsyncIterator[", "AsyncGenerator[", "AsyncTypedModel[")
            )


def test_a_closed_client_says_so_and_closing_twice_is_harmless(
    connect: Connect, fake: FakeWaveSpeed, tmp_path: Path
) -> None:
    ws = connect(fake.api_key, base_url=fake.url)
    task = Task(id="abc", model="a/b", status="completed", outputs=(f"{fake.url}/media/abc/1.jpeg",))
    ws.end()
    ws.end()
    for verb in (
        lambda: ws.submit("a/b"),
        lambda: ws.get("abc"),
        lambda: ws.wait("abc"),
        lambda: ws.run("a/b"),
        lambda: ws.download(task.urls[0], tmp_path),
        lambda: ws.save(task, tmp_path),
    ):
        with pytest.raises(ConfigurationError, match="closed"):
            verb()
    assert fake.requests == []


def test_leaving_a_context_closes_the_client(fake: FakeWaveSpeed) -> None:
    with WaveSpeed(fake.api_key, base_url=fake.url) as ws:
        ws.submit("a/b")
    with pytest.raises(ConfigurationError, match="closed"):
        ws.submit("a/b")


def test_the_key_shows_nowhere(connect: Connect) -> None:
    ws = connect("wsk_live_secret").client
    for shown in (repr(ws), str(ws), repr(ws.settings), repr(ws.api), repr(vars(ws)), repr(vars(ws._http))):
        assert "wsk_live_secret" not in shown


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_cannot_be_copied(connect: Connect, copied: Any) -> None:
    with pytest.raises(ConfigurationError, match="build one in each process"):
        copied(connect().client)


def test_every_public_name_loads_and_no_other_does() -> None:
    assert set(wavespeed_client.__all__) <= set(dir(wavespeed_client))
    for name in wavespeed_client.__all__:
        found = getattr(wavespeed_client, name)
        assert found is FileInput if name == "FileInput" else found.__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Wavespeed'"):
        _ = wavespeed_client.Wavespeed  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        ("import wavespeed_client", {"httpx", "attrs", "wavespeed_api", "typing"}),
        ("from wavespeed_client import WaveSpeed", {"jsonschema", "werkzeug"}),
        ("from wavespeed_client import WaveSpeed", {"wavespeed_client.testing", "wavespeed_client.async_client"}),
        (
            "from wavespeed_client import WaveSpeed",
            {"asyncio", "httpcore", "httpx_retries", "wavespeed_api.api", "wavespeed_api.models.prediction"},
        ),
        ("from wavespeed_client import AsyncWaveSpeed", {"httpcore", "wavespeed_api.api", "wavespeed_client.client"}),
        ("from wavespeed_client import WaveSpeed", {"wavespeed_client.batch", "filelock"}),
        ("from wavespeed_client.errors import RateLimitError", {"httpx", "wavespeed_api"}),
    ],
)
def test_importing_public_names_loads_no_unneeded_library(program: str, absent: set[str]) -> None:
    code = f"import sys; {program}; print(sorted({absent!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_api_attribute_is_a_plain_generated_client(ws: Driven, fake: FakeWaveSpeed) -> None:
    assert type(ws.api).__name__ == "Client"
    assert ws.settings.base_url == fake.url
