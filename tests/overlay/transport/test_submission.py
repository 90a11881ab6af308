"""What counts as a submission, and which responses refuse one."""

import pytest

from wavespeed_client.transport.submission import is_refusal, is_submission, responds_late


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/api/v3/a/b", True),
        ("POST", "/api/v3/a/b/c", True),
        ("POST", "/api/v3/predictions%2Fx", True),
        ("POST", "/elsewhere", True),
        ("POST", "/api/v3/unheard/of/path/of/five", True),
        ("POST", "/api/v3/predictions/delete", False),
        ("POST", "/api/v3/predictions", False),
        ("POST", "/api/v3/model/price", False),
        ("GET", "/api/v3/predictions/abc/result", False),
        ("GET", "/api/v3/a/b", False),
    ],
)
def test_method_and_path_tell_a_submission(method: str, path: str, expected: bool) -> None:
    assert is_submission(method, path) is expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        *((status, b"<html>", True) for status in (400, 401, 402, 403, 404, 413, 422, 429)),
        (500, b'{"code": 500, "message": "no"}', True),
        (500, b'{"code": 500}', False),
        (500, b'{"code": 502, "message": "no"}', False),
        (500, b"<html>", False),
        *((status, b'{"code": 503, "message": "no"}', False) for status in (204, 302, 408, 499, 502, 503, 504, 520)),
    ],
)
def test_refusals_prove_that_nothing_was_started(status: int, body: bytes, expected: bool) -> None:
    assert is_refusal(status, body) is expected


def test_sync_mode_is_seen_in_the_body() -> None:
    assert responds_late(b'{"enable_sync_mode": true}')
    for body in (b'{"enable_sync_mode": false}', b'{"prompt": "enable_sync_mode"}', b"{}", b"enable_sync_mode"):
        assert not responds_late(body)
