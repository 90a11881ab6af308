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
        yield from compare_functions(name, old, new)
        positional = {*old.positional, *new.positional}
        for each in sorted(old.members.keys() - new.members.keys() - positional):
            yield SymbolChange(name, each, "is removed", Level.MAJOR, "programs that use it fail")
        for each in sorted(new.members.keys() - old.members.keys() - positional):
            yield added(name, each, new.members[each], uses)
        for each in sorted(old.members.keys() & new.members.keys()):
            yield from self.compare_types(name, each, old.members[each].annotation, new.members[each].annotation, uses)
            yield from compare_defaults(name, each, old.members[each], new.members[each], uses)
        yield from self.compare_types(name, "return", old.returns, new.returns, RECEIVED)

    def compare_types(self, name: str, member: str, old: str, new: str, uses: Set[Use]) -> Iterator[SymbolChange]:
        with_new_names = re.sub(r"\w+", lambda word: self.renamed.get(word[0], word[0]), old)
        narrower, wider = relation(with_new_names, new)
        if not narrower and not wider:
            return
        broken = [use for use in uses if not use.open and (narrower if use.flow is Flow.SENT else wider)]
        level = Level.MAJOR if broken else Level.MINOR
        why = (
            "type checkers refuse programs that they accepted" if broken else "type checkers accept what they accepted"
        )
        yield SymbolChange(name, member, f"was {old}, is {new} now", level, why)


def compare_functions(name: str, old: Symbol, new: Symbol) -> Iterator[SymbolChange]:
    gone, come = (", ".join(sorted(each)) for each in (old.functions - new.functions, new.functions - old.functions))
    if gone:
        yield SymbolChange(name, "return", f"{gone} removed", Level.MAJOR, "calls of it fail")
    if come:
        yield SymbolChange(name, "return", f"{come} added", Level.MINOR, "programs can use it")
    if old.positional != new.positional:
        slots = zip_longest(old.positional, new.positional)
        member = next(one or two or "" for one, two in slots if one != two)
        what = f"takes ({', '.join(new.positional)}), took ({', '.join(old.positional)})"
        yield SymbolChange(name, member, what, Level.MAJOR, "calls mean something else or fail")


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
