"""What a change of the spec means, on both axes, each change once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define

from .change import Change, Level
from .package import Package, generate
from .places import Places, bare
from .python import PythonComparison, SymbolChange
from .wire import WireComparison

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .document import Document


@define
class Verdict:
    old: str
    new: str
    changes: list[Change]
    wire: Level
    python: Level

    @property
    def level(self) -> Level:
        return max(self.wire, self.python)

    def lines(self) -> Iterator[str]:
        yield f"{self.old} -> {self.new}: {self.level} (wire {self.wire}, python {self.python})"
        for each in self.changes:
            yield f"wire {each.wire!s:5}  python {each.python!s:5}  {each.where}: {each.what} ({each.why})"

    def as_json(self) -> dict[str, Any]:
        changes = [
            {
                **{"wire": str(each.wire), "python": str(each.python)},
                **{"where": each.where, "what": each.what, "why": each.why, "symbols": sorted(set(each.symbols))},
            }
            for each in self.changes
        ]
        levels = {"verdict": str(self.level), "wire": str(self.wire), "python": str(self.python)}
        return {"old": self.old, "new": self.new, **levels, "changes": changes}


def judge(old: Document, new: Document) -> Verdict:
    """Compare two documents.

    Raises:
        SpecError: This program or the generator does not understand one of them.
    """
    with tempfile.TemporaryDirectory() as folder:
        packages = [generate(each, Path(folder) / side) for each, side in ((old, "old"), (new, "new"))]
    return compare(old, new, *packages)


def compare(old: Document, new: Document, before: Package, after: Package) -> Verdict:
    wired = WireComparison(old, new)
    wired.compare()
    changes, places = list(wired.ledger.changes.values()), wired.places
    join = Join(places, changes)
    for change in PythonComparison(before, after, places.uses_of, wired.renamed).changes():
        join.enter(change)
    same_code = before.code == after.code
    if not same_code:
        join.note_code(before, after)
    changes.sort(key=lambda each: (-each.level, -each.wire, each.where, each.what))
    python = max([each.python for each in changes], default=Level.NONE)
    wire = max([each.wire for each in changes], default=Level.NONE)
    return Verdict(old.name, new.name, changes, wire, python if same_code else max(python, Level.PATCH))


@define(eq=False)
class Join:
    """Adds each change in the package to the change of the spec that caused it."""

    places: Places
    changes: list[Change]

    def enter(self, symbol: SymbolChange) -> None:
        scope = symbol.symbol.rpartition(".")[2]
        places = [*self.places.of(f"{scope} {symbol.member}"), *self.places.of(scope)]
        change = self.origin(places)
        if change is None:
            where = places[0] if places else symbol.path
            change = Change(where, f"{symbol.path} {symbol.what}", wire_why="the same on the wire")
            self.changes.append(change)
        change.symbols.append(symbol.path)
        if symbol.level > change.python:
            change.python = symbol.level
            change.python_why = symbol.why if change.what.startswith(symbol.path) else f"{symbol.path} {symbol.what}"

    def origin(self, places: list[str]) -> Change | None:
        """Return the change that caused a name to change: at one of its places, or else inside it, or around it."""
        candidates = [each for each in self.changes if each.wire is not Level.PATCH]
        for place in places:
            inside = [each for each in candidates if each.is_in(place)]
            if inside:
                return min(inside, key=lambda each: place not in each.places)
        return next((each for place in places for each in candidates if each.is_around(place)), None)

    def note_code(self, old: Package, new: Package) -> None:
        """Count a change of code on which no program can rely as a patch."""
        modules = {Path(name) for name in old.code.keys() | new.code.keys() if old.code.get(name) != new.code.get(name)}
        places = {label for module in modules for label in self.places.of(module.stem)}
        calls = tuple(bare(module.stem) for module in modules if module.parts[0] == "api")
        named = self.places.labels.items()
        places.update(label for name, labels in named if calls and name.startswith(calls) for label in labels)
        for change in self.changes:
            if change.python is Level.NONE and any(map(change.is_in, places)):
                change.python = Level.PATCH
