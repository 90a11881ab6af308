"""Make keys of equal inputs, each of which has a row of its own."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from ..journal import Item


@define
class Numbered:
    """Keys of a batch in which each input is a task of its own. Equal inputs are numbered."""

    _seen: set[int] = field(init=False, factory=set[int])
    _repeated: dict[int, int] = field(init=False, factory=dict[int, int])

    def key(self, item: Item) -> bytes:
        """Return the key of the next input that equals this one."""
        short = int.from_bytes(item.digest[:8], "big")  # a whole digest would take twice the memory
        if short not in self._seen:
            self._seen.add(short)
            return item.digest
        number = self._repeated[short] = self._repeated.get(short, 0) + 1
        return hashlib.sha256(item.digest + number.to_bytes(8, "big")).digest()
