"""The changes found so far: each once, with the worst of what it means for its uses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from attrs import define, field

from .change import Change, Effect, Level, Use

if TYPE_CHECKING:
    from .uses import Uses


@define(eq=False)
class Ledger:
    old: Uses
    new: Uses
    changes: dict[tuple[str, str], Change] = field(factory=dict[tuple[str, str], Change])

    def uses_of(self, label: str, now: str | None = None) -> set[Use]:
        empty: set[Use] = set()
        return self.old.of.get(label, empty) | self.new.of.get(now or label, empty)

    def note(self, where: str, what: str, effect: Effect, uses: set[Use], now: str | None = None) -> None:
        """Enter a change. Of a thing without a use nothing is noticed on the wire."""
        worst = max((effect.of(use) for use in sorted(uses, key=str)), default=(Level.NONE, "nothing uses it"))
        self.enter(where, what, *worst, now=now)

    def enter(self, where: str, what: str, level: Level, why: str, *, now: str | None = None) -> None:
        change = self.changes.setdefault((where, what), Change(where, what, now=now))
        if not change.wire_why or level > change.wire:
            change.wire, change.wire_why = level, why


def show(value: object) -> str:
    """A value of the spec as a person reads it in a line."""
    text = canonical(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
