"""`model`: one request an hour for each client, shared by threads and tasks, and three close ids for an unknown one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Connect, Driven, TestClock
from tests.overlay.typed.models import MODELS, rows
from wavespeed_client import ConfigurationError, InvalidModelError, ServerError
from wavespeed_client.catalogue.catalogue import KEPT_SECONDS
from wavespeed_client.testing import FakeWaveSpeed
from wavespeed_client.testing.wire import success

PATH = "/api/v3/models"


@pytest.fixture(autouse=True)
def models(fake: FakeWaveSpeed) -> Iterator[FakeWaveSpeed]:
    """The stand-in with a catalogue of a few models."""
    fake.raw(200, success(rows()).body, on="models", times=1)
    yield fake
    fake.reset()


def requests_for_it(fake: FakeWaveSpeed) -> int:
    """Count the requests for the catalogue; there may be no others."""
    assert {request.path for request in fake.requests} <= {PATH}
    return len(fake.requests)


def test_models_cost_one_request_an_hour(ws: Driven, fake: FakeWaveSpeed, clock: TestClock) -> None:
    found = ws.model("acme/speak")
    assert (found.id, [each.name for each in found.inputs]) == ("acme/speak", ["class", "text", "voice"])
    assert ws.model("acme/paint-2.1/fast").inputs[0].name == "prompt"
    clock.sleep(KEPT_SECONDS - 0.1)
    ws.model("acme/speak")
    assert requests_for_it(fake) == 1
    clock.sleep(0.1)
    assert ws.model("wavespeed-ai/flux-dev").inputs[0].name == "prompt"
    with pytest.raises(InvalidModelError):  # the old catalogue is gone
        ws.model("acme/speak")
    assert requests_for_it(fake) == 2


def test_each_client_fetches_a_catalogue_of_its_own(ws: Driven, connect: Connect, fake: FakeWaveSpeed) -> None:
    other = connect(fake.api_key, base_url=fake.url)
    ws.model("acme/speak")
    assert other.model("wavespeed-ai/flux-dev").id == "wavespeed-ai/flux-dev"
    assert requests_for_it(fake) == 2


@pytest.mark.parametrize(
    ("model", "close"),
    [("acme/speek", "acme/speak, "), ("ACME/Paint-2.1/FAST", "acme/paint-2.1/fast, "), ("zzz/qqq", "acme/")],
)
def test_an_unknown_id_names_three_close_ones(ws: Driven, fake: FakeWaveSpeed, model: str, close: str) -> None:
    fake.reset()
    fake.raw(200, success(rows({**MODELS, "acme/third": {}, "acme/fourth": {}})).body, on="models")
    with pytest.raises(InvalidModelError, match=rf"^There is no model {model}\. Close to it: {close}") as caught:
        ws.model(model)
    assert len(str(caught.value).split("Close to it: ")[1].split(", ")) == 3
    assert requests_for_it(fake) == 1


@pytest.mark.parametrize("model", ["flux", "a/b/stream", "models/x", "a/b?c", 3, None])
def test_an_invalid_model_id_costs_no_request(ws: Driven, fake: FakeWaveSpeed, model: str) -> None:
    with pytest.raises(InvalidModelError):
        ws.model(model)
    assert requests_for_it(fake) == 0


def test_a_failed_request_is_not_remembered(connect: Connect, fake: FakeWaveSpeed) -> None:
    ws = connect(fake.api_key, base_url=fake.url, max_retries=0)
    fake.reset()
    fake.refuse(503, on="models")
    with pytest.raises(ServerError):
        ws.model("wavespeed-ai/flux-dev")
    assert ws.model("wavespeed-ai/flux-dev").base_price == 0.012
    assert requests_for_it(fake) == 2


def test_an_empty_catalogue_is_not_remembered(ws: Driven, fake: FakeWaveSpeed) -> None:
    fake.reset()
    fake.raw(200, success([]).body, on="models")
    with pytest.raises(InvalidModelError, match="Close to it: none"):
        ws.model("wavespeed-ai/flux-dev")
    assert ws.model("wavespeed-ai/flux-dev").id == "wavespeed-ai/flux-dev"


def test_a_closed_client_refuses_even_a_model_that_it_knows(ws: Driven, fake: FakeWaveSpeed) -> None:
    ws.model("acme/speak")
    ws.end()
    with pytest.raises(ConfigurationError, match="closed"):
        ws.model("acme/speak")
    assert requests_for_it(fake) == 1


def test_threads_share_the_request(fake: FakeWaveSpeed) -> None:
    together = threading.Barrier(8)

    def look(_: int) -> str:
        together.wait()
        return ws.model("acme/speak").id

    with fake.client() as ws, ThreadPoolExecutor(8) as threads:
        assert set(threads.map(look, range(8))) == {"acme/speak"}
    assert requests_for_it(fake) == 1


def test_asyncio_tasks_share_the_request_even_if_one_is_cancelled(fake: FakeWaveSpeed) -> None:
    async def main() -> set[str]:
        async with fake.async_client() as ws:
            looking = [asyncio.ensure_future(ws.model("acme/speak")) for _ in range(8)]
            await asyncio.sleep(0)
            looking[1].cancel()
            found = await asyncio.gather(*looking, return_exceptions=True)
            assert isinstance(found.pop(1), asyncio.CancelledError)
            return {each.id for each in found if not isinstance(each, BaseException)}

    assert asyncio.run(main()) == {"acme/speak"}
    assert requests_for_it(fake) == 1


def test_one_function_suggests_close_model_ids() -> None:
    package = Path(__file__).parents[3] / "overlay" / "wavespeed_client"
    found = {path.name for path in package.rglob("*.py") if "get_close_matches(" in path.read_text("utf-8")}
    assert found == {"catalogue.py", "fields.py"}  # the command line's is about the fields of an input
