"""The pytest plugin: the fixture `fake_wavespeed`. Whatever it needs is imported when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from . import FakeWaveSpeed


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of pytest.ini or pyproject.toml."""
    help_text = "locks of python -m wavespeed_client.typed, to which fake_wavespeed holds the inputs of their models"
    parser.addini("wavespeed_models", help_text, type="paths")


@pytest.fixture
def fake_wavespeed(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWaveSpeed]:
    """A stand-in for WaveSpeedAI's API that this test's environment variables lead to.

    The test fails if it sends anything outside the API's contract. A test that means to do so looks at
    `fake_wavespeed.violations` and clears it. The option wavespeed_models names locks that it loads.
    """
    try:
        from . import FakeWaveSpeed
    except ImportError as error:
        pytest.fail(f"The fixture fake_wavespeed needs more packages: {error}", pytrace=False)
    with FakeWaveSpeed() as fake:
        try:
            for lock in pytestconfig.getini("wavespeed_models"):
                fake.load(lock)
        except ValueError as error:
            pytest.fail(f"The option wavespeed_models: {error}", pytrace=False)
        monkeypatch.setenv("WAVESPEED_API_KEY", fake.api_key)
        monkeypatch.setenv("WAVESPEED_BASE_URL", fake.url)
        monkeypatch.setenv("WAVESPEED_WEBHOOK_SECRET", fake.webhook_secret)
        yield fake
    if fake.violations:
        pytest.fail("Outside the API's contract:\n" + "\n".join(fake.violations), pytrace=False)
