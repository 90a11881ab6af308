"""Stages of a batch, called as an engine calls them, on the service in the test's process."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import TestClock
from tests.overlay.files.conftest import storage as storage
from tests.servers.in_process import Service
from wavespeed_client.distributed import Generate, generate
from wavespeed_client.distributed.client import PartitionClient

Stage = Callable[..., Generate]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, postgres: str) -> None:
    """The environment variables of every worker."""
    monkeypatch.setenv("WAVESPEED_API_KEY", "test-key")
    monkeypatch.setenv("WAVESPEED_JOURNAL", postgres)


@pytest.fixture
def stage(
    environment: None, service: Service, clock: TestClock, monkeypatch: pytest.MonkeyPatch, unique_ids: str
) -> Stage:
    """A function that makes stages of one batch. Their clients use the service in the test's process."""

    def connected() -> PartitionClient:
        client = PartitionClient(http_client=httpx.AsyncClient(transport=service))
        client._clock = clock
        return client

    monkeypatch.setattr(generate, "PartitionClient", connected)
    batch = f"cats-{secrets.token_hex(4)}"

    def build(**changed: Any) -> Generate:
        arguments = {"fields": ["tag"], "key": "id", "journal": "env:WAVESPEED_JOURNAL", "batch": batch, **changed}
        return Generate("wavespeed-ai/flux-dev", **arguments)

    return build


@pytest.fixture
def unique_ids(service: Service, monkeypatch: pytest.MonkeyPatch) -> str:
    """Tests share a database, which allows each task id once."""
    own, prediction = secrets.token_hex(4), Service.prediction

    def named(self: Service, task: str, status: str) -> Any:
        return prediction(self, task if own in task else f"{task}-{own}", status)

    monkeypatch.setattr(Service, "prediction", named)
    return own


def rows_of(count: int) -> list[dict[str, Any]]:
    return [{"id": number, "tag": f"t{number}"} for number in range(count)]
