"""Attach the API key to requests to the API's own origin, and mask it in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from .httpx1.headers import replace

if TYPE_CHECKING:
    from ..settings import Settings


class Authorization:
    """The key of one client, and the only origin that may receive it."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.api_key
        self._origin = _origin(httpx.URL(settings.base_url))

    def attach(self, request: httpx.Request) -> None:
        """Add the key to a request if it goes to the API's own origin."""
        if _origin(request.url) == self._origin:
            replace(request.headers, b"Authorization", f"Bearer {self._key.reveal()}".encode())

    def hide(self, text: str) -> str:
        """Mask the key in a text: a response may repeat it."""
        return text.replace(self._key.reveal(), "***")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
