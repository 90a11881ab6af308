"""Clients of a service in the test's process."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import Connect, Driven, TestClock
from tests.servers.in_process import Attach, Service
from wavespeed_client import WaveSpeed


@pytest.fixture
def service(clock: TestClock) -> Service:
    return Service(clock)


@pytest.fixture
def attach(connect: Connect, service: Service) -> Attach:
    """A function that builds clients of the in-process service."""

    def build(**arguments: Any) -> Driven:
        probe = connect()
        kind = httpx.Client if isinstance(probe.client, WaveSpeed) else httpx.AsyncClient
        return connect(http_client=kind(transport=service), **arguments)

    return build
