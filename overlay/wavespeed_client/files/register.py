"""A register of uploads by content. Pure: callers pass the time, and hold a lock if they share it."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from attrs import define, field, frozen

# The service keeps files for 7 days. The last day is left for tasks that wait in a queue.
KEPT = timedelta(days=6)
MOST_KEPT = 4096


@frozen
class Upload:
    """An uploaded file.

    Attributes:
        digest: The sha256 of its bytes, in hexadecimal digits.
        url: Its URL.
        at: When it was uploaded.
    """

    digest: str
    url: str
    at: datetime


@define(eq=False)
class Register:
    """Uploads that can be used again.

    Args:
        most: The most uploads to remember; the least recently used are dropped first.
    """

    most: int = MOST_KEPT
    _uploads: OrderedDict[str, Upload] = field(init=False, factory=OrderedDict[str, Upload])

    def find(self, digest: str, now: datetime) -> Upload | None:
        """Return the upload of a content; None if there is none, or it may have expired."""
        upload = self._uploads.get(digest)
        if upload is None or not timedelta(0) <= now - upload.at < KEPT:
            self._uploads.pop(digest, None)
            return None
        self._uploads.move_to_end(digest)
        return upload

    def keep(self, upload: Upload) -> None:
        """Remember an upload."""
        self._uploads[upload.digest] = upload
        self._uploads.move_to_end(upload.digest)
        while len(self._uploads) > self.most:
            self._uploads.popitem(last=False)
