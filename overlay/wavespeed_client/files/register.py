"""Which contents were uploaded, to which URL, and when. Pure: the time is passed in, and who shares it holds a lock."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from attrs import define, field, frozen

# The service keeps files for 7 days; a URL that is used on the last of these has to last until the task is run.
KEPT = timedelta(days=6)
MOST_KEPT = 4096


@frozen
class Upload:
    """A content that was uploaded.

    Attributes:
        digest: The sha256 of its bytes, in hexadecimal digits.
        url: Where the service has it.
        at: When it was uploaded.
    """

    digest: str
    url: str
    at: datetime


@define(eq=False)
class Register:
    """The uploads that may be used again.

    Args:
        most: How many are remembered; the ones used longest ago are forgotten first.
    """

    most: int = MOST_KEPT
    _uploads: OrderedDict[str, Upload] = field(init=False, factory=OrderedDict[str, Upload])

    def find(self, digest: str, now: datetime) -> Upload | None:
        """Return a content's upload; None if there is none, or the service may not have it any longer."""
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
