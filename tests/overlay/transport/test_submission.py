"""What counts as a submission, and which responses refuse one."""

import httpx
import pytest

from wavespeed_client.transport.response import WholeResponse
from wavespeed_client.transport.submission import is_refusal, is_submission, responds_late

pytestmark = pytest.mark.promise("refusal")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/api/v3/a/b", True),
        ("POST", "/api/v3/a/b/c", True),
        ("POST", "/api/v3/predictions%2Fx", True),
        ("POST", "/api/v3/models/%2E%2E/a/b", True),
        ("POST", "/elsewhere", True),
        ("POST", "/api/v3/unheard/of/path/of/five", True),
        ("POST", "/api/v3/predictions/delete", False),
        ("POST", "/api/v3/predictions", False),
        ("POST", "/api/v3/model/price", False),
        ("GET", "/api/v3/predictions/abc/result", False),
        ("GET", "/api/v3/a/b", False),
    ],
)
def test_method_and_path_decide_what_is_a_submission(method: str, path: str, expected: bool) -> None:
    assert is_submission(method, path) is expected


JSON = "application/json; charset=utf-8"
SAYS_WHY = b'{"code": 400, "message": "no"}'


def whole(status: int, body: bytes, content_type: str = JSON) -> WholeResponse:
    return WholeResponse(httpx.Response(status, headers={"Content-Type": content_type}), body)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 429])
@pytest.mark.parametrize(
    "body", [SAYS_WHY, b'{"error": "webhook callback does not support base64 output"}', b'{"error": {"code": "x"}}']
)
def test_a_refusal_of_the_service_is_believed(status: int, body: bytes) -> None:
    assert is_refusal(whole(status, body))


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html>denied</html>", "text/html"),
        (b"", JSON),
        (b"[]", JSON),
        (b"{}", JSON),
        (b'{"message": "denied"}', JSON),
        (b'{"code": "403", "message": "denied"}', JSON),
        (b'{"error": null}', JSON),
        (SAYS_WHY, "text/html"),
        (SAYS_WHY, ""),
    ],
)
def test_a_refusal_of_anyone_else_is_not_believed(status: int, body: bytes, content_type: str) -> None:
    assert not is_refusal(whole(status, body, content_type))


@pytest.mark.parametrize("status", [413, 414, 429, 431])
def test_a_status_from_before_the_application_is_believed_of_anyone(status: int) -> None:
    assert is_refusal(whole(status, b"<html>", "text/html"))


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, b'{"code": 500, "message": "no"}', True),
        (500, b'{"code": 500}', False),
        (500, b'{"code": 502, "message": "no"}', False),
        (500, b"<html>", False),
        *(
            (status, b'{"code": 503, "message": "no"}', False)
            for status in (204, 302, 407, 408, 499, 502, 503, 504, 520)
        ),
    ],
)
def test_of_other_errors_only_the_services_own_500_is_believed(status: int, body: bytes, expected: bool) -> None:
    assert is_refusal(whole(status, body)) is expected


def test_sync_mode_is_seen_in_the_body() -> None:
    assert responds_late(b'{"enable_sync_mode": true}')
    for body in (b'{"enable_sync_mode": false}', b'{"prompt": "enable_sync_mode"}', b"{}", b"enable_sync_mode"):
        assert not responds_late(body)
