"""What changed between two generated packages, for programs that import them."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING

from attrs import define, frozen

from .annotation import relation
from .change import Flow, Level, Use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Set

    from .package import Package, Symbol, Value

SENT, RECEIVED = frozenset({Use(Flow.SENT)}), frozenset({Use(Flow.RECEIVED)})


@frozen
class SymbolChange:
    # Such as models.Task or api.tasks.submit_task.
    symbol: str
    # An attribute or argument, also "body" or "return"; empty for the symbol itself.
    member: str
    what: str
    level: Level
    why: str

    @property
    def path(self) -> str:
        return f"{self.symbol}.{self.member}" if self.member else self.symbol


@define
class PythonComparison:
    """Compares two packages. Which changes break programs depends on whether a model is sent or received."""

    old: Package
    new: Package
    uses_of: Callable[[str], Set[Use]]
    # The new names of models that were renamed.
    renamed: dict[str, str]

    def changes(self) -> Iterator[SymbolChange]:
        before = {self.now(symbol): symbol for symbol in self.old.symbols}
        for symbol in sorted(before.keys() - self.new.symbols.keys()):
            yield SymbolChange(symbol, "", "is removed", Level.MAJOR, "imports of it fail")
        for symbol in sorted(self.new.symbols.keys() - before.keys()):
            yield SymbolChange(symbol, "", "is added", Level.MINOR, "programs can use it")
        for symbol, name in sorted(before.items()):
            if symbol != name:
                yield SymbolChange(name, "", f"is {symbol} now", Level.MAJOR, "imports of the old name fail")
            if symbol in self.new.symbols:
                yield from self.compare(name, self.old.symbols[name], self.new.symbols[symbol])

    def now(self, symbol: str) -> str:
        module, _, name = symbol.rpartition(".")
        return f"models.{self.renamed.get(name, name)}" if module == "models" else symbol

    def compare(self, name: str, old: Symbol, new: Symbol) -> Iterator[SymbolChange]:
        if old.kind != new.kind:
            yield SymbolChange(name, "", f"was a {old.kind}, is a {new.kind}", Level.MAJOR, "programs use it as before")
            return
        # A program may both send and receive a model that no operation uses.
        uses = SENT if old.kind == "function" else self.uses_of(name.rpartition(".")[2]) or SENT | RECEIVED
        if old.positional != new.positional:
            yield other_positions(name, old.positional, new.positional)
        for member in sorted(old.members.keys() | new.members.keys()):
            one, two = old.members.get(member), new.members.get(member)
            if one and two:
                there = RECEIVED if member == "return" else uses
                yield from self.compare_types(name, member, one.annotation, two.annotation, there)
                yield from compare_defaults(name, member, one, two, there)
            elif member in {*old.positional, *new.positional}:
                pass  # the change of the positions says so
            elif two:
                yield added(name, member, two, uses)
            else:
                yield SymbolChange(name, member, "is removed", Level.MAJOR, "programs that use it fail")

    def compare_types(self, name: str, member: str, old: str, new: str, uses: Set[Use]) -> Iterator[SymbolChange]:
        with_new_names = re.sub(r"\w+", lambda word: self.renamed.get(word[0], word[0]), old)
        narrower, wider = relation(with_new_names, new)
        if not narrower and not wider:
            return
        level, why = Level.MINOR, "type checkers accept what they accepted"
        if any(not use.open and (narrower if use.flow is Flow.SENT else wider) for use in uses):
            level, why = Level.MAJOR, "type checkers refuse programs that they accepted"
        yield SymbolChange(name, member, f"was {old}, is {new} now", level, why)


def other_positions(name: str, old: tuple[str, ...], new: tuple[str, ...]) -> SymbolChange:
    member = next(one or two or "" for one, two in zip_longest(old, new) if one != two)
    what = f"takes ({', '.join(new)}), took ({', '.join(old)})"
    return SymbolChange(name, member, what, Level.MAJOR, "calls mean something else or fail")


def compare_defaults(name: str, member: str, old: Value, new: Value, uses: Set[Use]) -> Iterator[SymbolChange]:
    if uses & SENT and None not in (old.default, new.default) and old.default != new.default:
        what = f"is {new.default} when left out, was {old.default}"
        if old.default == "UNSET":
            yield SymbolChange(name, member, what, Level.MINOR, "it is sent by itself")
        else:
            yield SymbolChange(name, member, what, Level.MAJOR, "another value is sent by itself")


def added(name: str, member: str, value: Value, uses: Set[Use]) -> SymbolChange:
    if value.default is None and any(use.flow is Flow.SENT for use in uses):
        return SymbolChange(name, member, "is added, required", Level.MAJOR, "calls without it fail")
    return SymbolChange(name, member, "is added", Level.MINOR, "programs can use it")
