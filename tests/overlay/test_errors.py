"""The exception tree: what a response becomes, and that every error can be pickled."""

import copy
import pickle
from datetime import UTC, datetime

import pytest

import wavespeed_client
from wavespeed_client import (
    APIError,
    BadRequestError,
    CostLimitError,
    InvalidInputError,
    InvalidModelError,
    Price,
    RateLimitError,
    ServerError,
    SubmissionUncertainError,
    Task,
    TaskError,
    TaskFailedError,
    TaskTimeoutError,
    UnexpectedResponseError,
    WaveSpeedError,
    errors,
)
from wavespeed_client.errors import error_from_response

TASK = Task(id="abc", model="a/b", status="failed", raw={"id": "abc"})
PRICE = Price(model_id="a/b", price=1.0, discounted_price=1.0, discount_rate=100.0, currency="USD")
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def every_class() -> list[type[WaveSpeedError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, WaveSpeedError)]


def example(kind: type[WaveSpeedError]) -> WaveSpeedError:
    if issubclass(kind, APIError):
        return kind("no", status_code=429, code=429, body="{}", retry_after=1.5)
    if issubclass(kind, TaskError):
        return kind("no", task=TASK)
    if kind is SubmissionUncertainError:
        return SubmissionUncertainError("no", model="a/b", input={"a": 1}, submitted_at=MOMENT)
    if kind is CostLimitError:
        return CostLimitError("no", price=PRICE, limit=0.5)
    if kind is UnexpectedResponseError:
        return UnexpectedResponseError("no", status_code=204, body="")
    return kind("no")


@pytest.mark.parametrize("kind", every_class())
def test_every_error_survives_pickle_and_copy(kind: type[WaveSpeedError]) -> None:
    error = example(kind)
    error.add_note("a note")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert str(again) == str(error)
        assert vars(again) == vars(error)


def test_every_error_is_public_and_in_the_tree() -> None:
    for kind in every_class():
        assert getattr(wavespeed_client, kind.__name__) is kind
        assert (
            f"─ {kind.__name__}" in (errors.__doc__ or "")
            or f"  {kind.__name__} " in (errors.__doc__ or "")
            or (kind is WaveSpeedError)
        )
    assert issubclass(InvalidInputError, ValueError)
    assert issubclass(InvalidModelError, InvalidInputError)
    assert issubclass(TaskTimeoutError, TimeoutError)
    assert issubclass(TaskFailedError, TaskError)


@pytest.mark.parametrize(
    ("status", "body", "kind", "message", "code"),
    [
        (400, b'{"code": 400, "message": "bad width"}', BadRequestError, "bad width", 400),
        (400, b'{"error": "no base64"}', BadRequestError, "no base64", None),
        (400, b'{"code": 400, "message": "", "data": {"error": "deep"}}', BadRequestError, "deep", 400),
        (402, b'{"code": 402, "message": "top up"}', APIError, "top up", 402),
        (404, b"<html>", wavespeed_client.NotFoundError, "Not Found", None),
        (429, b"", RateLimitError, "Too Many Requests", None),
        (500, b'{"code": "500", "message": 5}', ServerError, "Internal Server Error", None),
        (520, b"null", ServerError, "The service gave no reason", None),
        (599, b"[" * 100_000, ServerError, "The service gave no reason", None),
        (503, b"\xff\xfe", ServerError, "Service Unavailable", None),
    ],
)
def test_each_status_and_code_becomes_its_class_of_error(
    status: int, body: bytes, kind: type[APIError], message: str, code: int | None
) -> None:
    error = error_from_response(status, body, retry_after=2.0)
    assert type(error) is kind
    assert isinstance(error, APIError)
    assert (error.message, error.status_code, error.code, error.retry_after) == (message, status, code, 2.0)
    assert str(error) == f"{message} (HTTP {status})"


@pytest.mark.parametrize("status", [200, 204, 302, 600, 5004])
def test_every_other_status_is_unexpected(status: int) -> None:
    error = error_from_response(status, b"odd")
    assert isinstance(error, UnexpectedResponseError)
    assert (error.status_code, error.body) == (status, "odd")


def test_a_quoted_response_is_cut() -> None:
    long = "ü" * 10_000
    for status in (200, 400):
        error = error_from_response(status, f'{{"message": "{long}"}}'.encode())
        assert len(error.body) == 500
        assert len(str(error)) < 700
