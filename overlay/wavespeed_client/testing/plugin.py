"""The pytest plugin with the fixture `fake_wavespeed`. pytest loads it in every run, so it imports nothing early."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from . import FakeWaveSpeed


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini option `wavespeed_models`."""
    help_text = "locks of python -m wavespeed_client.typed; fake_wavespeed checks the inputs of their models"
    parser.addini("wavespeed_models", help_text, type="paths")


@pytest.fixture
def fake_wavespeed(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWaveSpeed]:
    """A local stand-in for WaveSpeedAI's API. Environment variables point clients to it.

    The test fails if it breaks the API's contract. A test that does so on purpose must clear
    `fake_wavespeed.violations`. Loads the locks in the ini option `wavespeed_models`.
    """
    try:
        from . import FakeWaveSpeed
    except ImportError as error:
        pytest.fail(f"The fixture fake_wavespeed cannot be used: {error}", pytrace=False)
    with FakeWaveSpeed() as fake:
        try:
            for lock in pytestconfig.getini("wavespeed_models"):
                fake.load(lock)
        except ValueError as error:
            pytest.fail(f"The ini option wavespeed_models: {error}", pytrace=False)
        monkeypatch.setenv("WAVESPEED_API_KEY", fake.api_key)
        monkeypatch.setenv("WAVESPEED_BASE_URL", fake.url)
        monkeypatch.setenv("WAVESPEED_WEBHOOK_SECRET", fake.webhook_secret)
        yield fake
    if fake.violations:
        pytest.fail("The test broke the API's contract:\n" + "\n".join(fake.violations), pytrace=False)
