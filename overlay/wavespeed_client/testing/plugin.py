"""The pytest plugin: the fixture `fake_wavespeed`. Whatever it needs is imported when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from . import FakeWaveSpeed


@pytest.fixture
def fake_wavespeed(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWaveSpeed]:
    """A stand-in for WaveSpeedAI's API that this test's environment variables lead to.

    The test fails if it sends anything outside the API's contract. A test that means to do so looks at
    `fake_wavespeed.violations` and clears it.
    """
    try:
        from . import FakeWaveSpeed
    except ImportError as error:
        pytest.fail(f"The fixture fake_wavespeed needs more packages: {error}", pytrace=False)
    with FakeWaveSpeed() as fake:
        monkeypatch.setenv("WAVESPEED_API_KEY", fake.api_key)
        monkeypatch.setenv("WAVESPEED_BASE_URL", fake.url)
        monkeypatch.setenv("WAVESPEED_WEBHOOK_SECRET", fake.webhook_secret)
        yield fake
    if fake.violations:
        pytest.fail("Outside the API's contract:\n" + "\n".join(fake.violations), pytrace=False)
