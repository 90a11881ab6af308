"""Check that a webhook call came from the service, read its task, and sign calls for tests."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from .errors import ConfigurationError, InvalidInputError, WebhookVerificationError
from .parsing import task_in
from .settings import Secret, given, is_token
from .transport.response import parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .task import Task

PREFIX = "whsec_"
SCHEME = "v3"

_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_SECONDS = re.compile(r"[0-9]{1,12}")


class Webhook:
    """A verifier of the calls that the service makes when a task has ended.

    The scheme is the service's own: `v3`, HMAC-SHA256 over `id.timestamp.body`, in lowercase hexadecimal
    digits, keyed with the secret's text without `whsec_`. It resembles Standard Webhooks, but is not compatible.

    Args:
        secret: The account's webhook secret, from `WaveSpeed.webhook_secret()`; else WAVESPEED_WEBHOOK_SECRET.
            Several are accepted while a secret is being changed; the first one signs.
        tolerance: Seconds that a call's time may be off, in both directions.

    Raises:
        ConfigurationError: There is no secret, or a secret or the tolerance is invalid.
    """

    def __init__(self, secret: str | Sequence[str] | None = None, *, tolerance: float = 300.0) -> None:
        self._keys = _keys(secret)
        if not isinstance(tolerance, int | float) or not 0 <= tolerance < float("inf"):  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
            raise ConfigurationError("tolerance must be a number of seconds, 0 or more.")
        self._tolerance = tolerance

    def verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Raise unless the call came from the service and is recent.

        Args:
            body: The body's bytes exactly as received. A body that was parsed and encoded again has another signature.
            headers: The call's headers, with names in any case.

        Raises:
            WebhookVerificationError: It is not, or has no valid headers. Respond to such a call with 400.
            InvalidInputError: The body is not bytes.
        """
        message_id, timestamp, signatures = _read(headers)
        if abs(time.time() - int(timestamp)) > self._tolerance:
            raise WebhookVerificationError("The call's timestamp is too far from now: it is old, or a clock is off.")
        sent = [signature.encode("utf-8", "replace") for signature in signatures.split()]
        right = [_signature(key, message_id, timestamp, body).encode() for key in self._keys]
        # Every pair is compared, so that the time taken does not show how much was right.
        if not sum(hmac.compare_digest(one, other) for one in sent for other in right):
            raise WebhookVerificationError("The call's signature does not fit: another secret, or a changed body.")

    def parse(self, body: bytes, headers: Mapping[str, str]) -> Task:
        """Verify a call and return its task. The service may call more than once for the same task.

        Raises:
            WebhookVerificationError: The call did not come from the service, or holds no task.
        """
        self.verify(body, headers)
        try:
            return task_in(parsed(bytes(body))[0])
        except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
            raise WebhookVerificationError("The call is signed, but its body holds no task.") from error

    def sign(self, body: bytes, *, id: str, timestamp: int | None = None) -> dict[str, str]:
        """Return the headers that the service would send with this body, for tests of receivers.

        Args:
            body: The call's body.
            id: The delivery's id.
            timestamp: Seconds since 1970-01-01 UTC; else now.

        Raises:
            InvalidInputError: The body is not bytes, the timestamp no number, or the id cannot be sent in a header.
        """
        if not is_token(id):
            raise InvalidInputError("A delivery's id is ASCII text without spaces.")
        moment = _moment(timestamp)
        return dict(zip(_HEADERS, (id, moment, _signature(self._keys[0], id, moment, body)), strict=True))


def _moment(timestamp: object) -> str:
    seconds = int(time.time()) if timestamp is None else timestamp
    if not isinstance(seconds, int):
        raise InvalidInputError("A delivery's timestamp is a whole number: seconds since 1970-01-01 UTC.")
    return str(seconds)


def _keys(secret: object) -> tuple[Secret, ...]:
    value, name = given("secret", secret, "WAVESPEED_WEBHOOK_SECRET")
    if value is None:
        raise ConfigurationError("No webhook secret: pass secret=... or set WAVESPEED_WEBHOOK_SECRET.")
    secrets: Sequence[object] = [value]
    if isinstance(value, Sequence) and not isinstance(value, str):
        secrets = cast("Sequence[object]", value)
    bare = [each.removeprefix(PREFIX) for each in secrets if isinstance(each, str)]
    if not secrets or len(bare) < len(secrets) or not all(map(is_token, bare)):
        raise ConfigurationError(f"{name} must be one or more secrets of ASCII text without spaces, such as whsec_...")
    return tuple(map(Secret, bare))


def _read(headers: Mapping[str, str]) -> list[str]:
    """Return the call's id, timestamp and signatures."""
    if not hasattr(headers, "items"):
        raise WebhookVerificationError("The call's headers must be a mapping of names to text.")
    found: list[str] = []
    for wanted in _HEADERS:
        match [value for name, value in headers.items() if str(name).lower() == wanted]:
            case [str(value)] if value:
                found.append(value)
            case _:
                raise WebhookVerificationError(f"The call must have the header {wanted} exactly once, as text.")
    if not _SECONDS.fullmatch(found[1]):
        raise WebhookVerificationError("The call's timestamp is not a number of seconds.")
    return found


def _signature(key: Secret, message_id: str, timestamp: str, body: bytes) -> str:
    if not isinstance(body, bytes | bytearray | memoryview):  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
        raise InvalidInputError("body must be the request's bytes as they came: a decoded body has another signature.")
    message = f"{message_id}.{timestamp}.".encode("utf-8", "replace") + bytes(body)
    return f"{SCHEME},{hmac.new(key.reveal().encode(), message, hashlib.sha256).hexdigest()}"
