"""Shared by tests of uploads: tickets for their own storage host, and what arrived at the stand-in's."""

import json
from typing import Any

from wavespeed_client.testing import FakeWaveSpeed

MODEL = "wavespeed-ai/flux-dev"


class Image:
    """An image with the attributes of Pillow's."""

    def __init__(self, format: str | None = None, content: bytes = b"image") -> None:
        self.format = format
        self.content = content

    def save(self, fp: Any, format: str) -> None:
        fp.write(format.encode() + self.content)


def stored(fake: FakeWaveSpeed, url: str) -> bytes:
    """Return what was uploaded to a URL."""
    return fake.files[url.removeprefix(fake.url)]


def ticket(fake: FakeWaveSpeed, url: str, **headers: str) -> None:
    """Let the next ticket name this URL."""
    upload = {"method": "PUT", "url": url, "headers": headers, "expires_at": None}
    data = {"type": "image", "download_url": "https://e.com/f", "filename": "f", "size": 1, "upload": upload}
    fake.raw(200, json.dumps({"data": data}).encode(), on="upload")


def tickets(fake: FakeWaveSpeed) -> list[Any]:
    return [json.loads(request.body) for request in fake.requests if request.target == "/api/v3/media/uploads"]
