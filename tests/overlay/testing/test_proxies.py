"""A stand-in is reached directly, whatever proxy variables are set."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from tests.conftest import both_transports
from tests.servers.raw import RawServer, http, serving

from wavespeed_client import AsyncWaveSpeed, WaveSpeed
from wavespeed_client.testing import ContractTransport, FakeWaveSpeed

FLUX = "wavespeed-ai/flux-dev"
VARIABLES = ("http_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture
def witness() -> Iterator[RawServer]:
    """A proxy that only records its requests, or a program whose webhook is called."""
    with serving(default=http(204, b"")) as server:
        yield server


@pytest.fixture
def proxied(witness: RawServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWaveSpeed]:
    """A stand-in on a machine with proxy variables. The proxy must see nothing."""
    for name in VARIABLES:
        monkeypatch.setenv(name, witness.url)
    with FakeWaveSpeed() as fake:
        yield fake
    assert witness.requests == []
    assert fake.requests


def test_the_sync_client_of_a_stand_in_and_its_files_bypass_proxies(proxied: FakeWaveSpeed, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"abc")
    with proxied.client() as ws:
        ws.upload(tmp_path / "a.png")
        ws.download(ws.run(FLUX).outputs[0], tmp_path / "b.jpeg")
    assert list(proxied.files.values()) == [b"abc"]
    assert (tmp_path / "b.jpeg").exists()


@both_transports
def test_the_async_client_of_a_stand_in_bypasses_proxies(proxied: FakeWaveSpeed, transport: Any) -> None:
    async def run() -> None:
        async with (
            proxied.async_client() as ws,
            AsyncWaveSpeed("test-key", base_url=proxied.url, transport=transport) as own,
        ):
            await ws.run(FLUX)
            await own.run(FLUX)

    asyncio.run(run())


def test_requests_of_the_program_under_test_bypass_proxies(proxied: FakeWaveSpeed) -> None:
    url, headers = f"{proxied.url}/api/v3/balance", {"Authorization": "Bearer test-key"}
    assert requests.get(url, headers=headers, timeout=60).status_code == 200
    assert httpx.get(url, headers=headers).status_code == 200
    with httpx.Client(transport=ContractTransport()) as http:
        assert http.get(url, headers=headers).status_code == 200
    with WaveSpeed("test-key", base_url=proxied.url) as ws:
        assert ws.balance() == 100.0


def test_webhook_calls_of_a_stand_in_bypass_proxies(witness: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with FakeWaveSpeed() as fake, fake.client() as ws:
        for name in ("no_proxy", "NO_PROXY"):
            os.environ.pop(name)  # the stand-in must bypass the proxy without them
        ws.submit(FLUX, webhook=f"http://localhost:{witness.port}/hook")
        assert [delivery.statuses for delivery in fake.wait_for_deliveries()] == [[204]]
    assert [call.line for call in witness.requests] == ["POST /hook HTTP/1.1"]


@pytest.mark.parametrize(
    "before",
    [
        {},
        {"NO_PROXY": "internal.example"},
        {"no_proxy": "a,127.0.0.1", "NO_PROXY": "b"},
    ],
)
def test_no_proxy_is_as_before_once_the_last_stand_in_has_stopped(
    before: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name.lower() == "no_proxy"}

    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
        os.environ.pop(name)
    os.environ |= before
    first, second = FakeWaveSpeed().start(), FakeWaveSpeed().start()
    assert all(value.startswith(before.get(name, "")) for name, value in found().items())
    first.stop()
    assert all("127.0.0.1" in value for value in found().values())
    assert found()
    second.stop()
    second.stop()
    assert found() == before
