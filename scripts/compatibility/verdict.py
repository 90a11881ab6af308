"""What a change of the spec means, on both axes, each change once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define

from .change import Change, Level, Use
from .ledger import Ledger
from .package import Package, generate
from .python import PythonComparison, SymbolChange
from .schemas import SchemaComparison
from .uses import Uses, bare, uses
from .wire import WireComparison
from .words import compare_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

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
        levels = {"verdict": str(self.level), "wire": str(self.wire), "python": str(self.python)}
        return {"old": self.old, "new": self.new, **levels, "changes": [as_json(each) for each in self.changes]}


def as_json(change: Change) -> dict[str, Any]:
    return {
        "wire": str(change.wire),
        "python": str(change.python),
        "where": change.where,
        "what": change.what,
        "why": change.why,
        "symbols": sorted(set(change.symbols)),
    }


def judge(old: Document, new: Document) -> Verdict:
    """Compare two documents.

    Raises:
        SpecError: One of them cannot be understood, by this program or by the generator.
    """
    with tempfile.TemporaryDirectory() as folder:
        packages = [generate(each, Path(folder) / side) for each, side in ((old, "old"), (new, "new"))]
    return compare(old, new, packages[0], packages[1])


def compare(old: Document, new: Document, before: Package, after: Package) -> Verdict:
    ledger = Ledger(uses(old), uses(new))
    schemas = SchemaComparison(ledger)
    WireComparison(old, new, ledger, schemas).compare()
    compare_words(old, new, ledger)
    changes = list(ledger.changes.values())
    join = Join(ledger, changes)
    for change in PythonComparison(before, after, join.uses_of, schemas.renamed).changes():
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
    """Puts what changed in the package beside the change of the spec that it comes from."""

    ledger: Ledger
    changes: list[Change]

    @property
    def sides(self) -> tuple[Uses, Uses]:
        return self.ledger.old, self.ledger.new

    def uses_of(self, model: str) -> Set[Use]:
        return {use for label in self.labels(model) for use in self.ledger.uses_of(label)}

    def labels(self, name: str) -> list[str]:
        """Where the generator took a name from; it puts the word response between an operation and a status."""
        names = (bare(name), bare(name).replace("response", ""))
        found = [label for side in self.sides for each in names for label in side.labels.get(each, [])]
        return sorted(dict.fromkeys(found), key=lambda label: not label.startswith("schemas/"))

    def enter(self, symbol: SymbolChange) -> None:
        scope = symbol.symbol.rpartition(".")[2]
        places = [*self.labels(f"{scope} {symbol.member}"), *self.labels(scope)]
        change = next(self.origins(places), None)
        if change is None:
            where = places[0] if places else symbol.path
            change = Change(where, f"{symbol.path} {symbol.what}", wire_why="the same on the wire")
            self.changes.append(change)
        change.symbols.append(symbol.path)
        if symbol.level > change.python:
            change.python = symbol.level
            change.python_why = symbol.why if change.what.startswith(symbol.path) else f"{symbol.path} {symbol.what}"

    def origins(self, places: list[str]) -> Iterator[Change]:
        """The changes that a name's change may come from, the likeliest first."""
        meant = [each for each in self.changes if each.wire is not Level.PATCH]
        for place in places:
            yield from (each for each in meant if each.is_at(place))
            yield from (each for each in meant if each.is_under(place))
        for place in places:
            yield from (each for each in meant if each.is_above(place))

    def note_code(self, old: Package, new: Package) -> None:
        """Of what changes code but nothing that programs rely on: a patch."""
        modules = {name for name in old.code.keys() | new.code.keys() if old.code.get(name) != new.code.get(name)}
        places = {label for module in modules for label in self.labels(Path(module).stem)}
        calls = tuple(bare(Path(module).stem) for module in modules if module.startswith("api/"))
        named = [(name, labels) for side in self.sides for name, labels in side.labels.items()]
        places.update(label for name, labels in named if calls and name.startswith(calls) for label in labels)
        for change in self.changes:
            if change.python is Level.NONE and any(change.is_at(each) or change.is_under(each) for each in places):
                change.python = Level.PATCH
