"""The body of a response as it arrives: unpacked, and limited in size. No I/O."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from attrs import define, field

from ..errors import UnexpectedResponseError
from .httpx1.headers import value_of

if TYPE_CHECKING:
    import httpx

# Bytes, unpacked.
LARGEST_RESPONSE = 64 * 1024 * 1024
TOO_LARGE = f"it is larger than {LARGEST_RESPONSE} bytes"

GZIP = b"\x1f\x8b"
BEFORE_JSON = b"\xef\xbb\xbf \t\r\n"
COMPRESSED = (b"gzip", b"x-gzip", b"deflate")


@define(eq=False)
class Body:
    """The body of one response.

    Attributes:
        response: The response, whose body has not been read yet.

    Raises:
        UnexpectedResponseError: The response announces a larger body.
    """

    response: httpx.Response
    _chunks: list[bytes] = field(init=False, repr=False)  # they may repeat the key
    _size: int = field(init=False, default=0)
    _inflater: Any = field(init=False, default=None, repr=False)
    _is_blank: bool = field(init=False, default=True)

    def __attrs_post_init__(self) -> None:
        self._chunks = []
        length = value_of(self.response.headers, b"content-length")
        if length.isdigit() and int(length) > LARGEST_RESPONSE:
            raise self._unusable(TOO_LARGE)

    def add(self, chunk: bytes) -> None:
        """Add the next bytes as they arrive.

        Raises:
            UnexpectedResponseError: The body is too large, or its compression is broken.
        """
        if self._is_blank:  # blanks may come in chunks of their own, to keep the connection alive
            self._is_blank = not chunk.lstrip(BEFORE_JSON)
            self._inflater = _inflater() if not self._is_blank and self._is_compressed(chunk) else None
        if self._inflater is not None:
            chunk = self._inflated(chunk)
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > LARGEST_RESPONSE:
            raise self._unusable(TOO_LARGE)

    def whole(self) -> bytes:
        """Return the body after its last bytes.

        Raises:
            UnexpectedResponseError: Its compression ends too early.
        """
        if self._inflater is not None and self._size and not self._inflater.eof:
            raise self._unusable("its compression ends too early")
        return self.so_far()

    def so_far(self) -> bytes:
        """Return what has arrived."""
        return b"".join(self._chunks)

    def _is_compressed(self, beginning: bytes) -> bool:
        # The first bytes count more than the header: a proxy may have unpacked the body and kept the header, or packed
        # it and sent the header twice or not at all.
        if beginning.startswith(GZIP[:1]):
            return True
        is_json = beginning.lstrip(BEFORE_JSON)[:1] in (b"{", b"[")
        return not is_json and value_of(self.response.headers, b"content-encoding").strip().lower() in COMPRESSED

    def _inflated(self, chunk: bytes) -> bytes:
        # Unpack at most one byte more than the limit: a small body may expand to a huge one.
        room = LARGEST_RESPONSE - self._size + 1
        try:
            inflated: bytes = self._inflater.decompress(chunk, room)
            while self._inflater.unused_data.startswith(GZIP) and len(inflated) < room:  # one more gzip member
                rest, self._inflater = self._inflater.unused_data, _inflater()
                inflated += self._inflater.decompress(rest, room - len(inflated))
        except zlib.error as error:
            raise self._unusable(f"its compression is broken: {error}") from error
        return inflated

    def _unusable(self, why: str) -> UnexpectedResponseError:
        message = f"The response cannot be read: {why}."
        return UnexpectedResponseError(message, status_code=self.response.status_code, body="")


def _inflater() -> Any:  # zlib does not name its type
    return zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, as its header says
