"""Generated functions called directly, with characters that mean something in a URL."""

import pytest

from tests.conftest import Driven
from wavespeed_api.api.tasks import get_prediction, get_result, submit_task, submit_task_variant
from wavespeed_api.models import PredictionEnvelope, TaskInput
from wavespeed_client import APIError
from wavespeed_client.testing import FakeWaveSpeed


@pytest.mark.parametrize(
    ("segment", "on_the_wire"),
    [("a/b", "a%2Fb"), ("a?b", "a%3Fb"), ("a#b", "a%23b"), ("a%2Fb", "a%252Fb"), ("a b", "a%20b"), ("ä", "%C3%A4")],
)
def test_segments_are_escaped(ws: Driven, fake: FakeWaveSpeed, segment: str, on_the_wire: str) -> None:
    body = TaskInput(prompt="a cat")
    calls = [
        (submit_task, ("wavespeed-ai", segment), {"body": body}, f"/api/v3/wavespeed-ai/{on_the_wire}"),
        (submit_task_variant, ("a", "b", segment), {"body": body}, f"/api/v3/a/b/{on_the_wire}"),
        (get_result, (segment,), {}, f"/api/v3/predictions/{on_the_wire}/result"),
        (get_prediction, (segment,), {}, f"/api/v3/predictions/{on_the_wire}"),
    ]
    for operation, segments, body_, target in calls:
        with pytest.raises(APIError):  # no such model or task: all four are outside the contract
            ws.call(operation, *segments, **body_)
        assert fake.requests[-1].target == target
    assert len(fake.violations) == len(calls)
    fake.violations.clear()


def test_the_api_attribute_carries_the_key_and_returns_generated_models(ws: Driven, fake: FakeWaveSpeed) -> None:
    answer = ws.call(submit_task, "wavespeed-ai", "flux-dev", body=TaskInput(prompt="a cat"), webhook="https://e.com/")
    assert isinstance(answer.parsed, PredictionEnvelope)
    assert answer.parsed.data.status == "created"
    assert fake.calls[0].webhook == "https://e.com/"
    assert "test-key" not in repr(ws.api)
