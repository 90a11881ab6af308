"""What changed between two generated packages, for programs that import them."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING

from attrs import define, frozen

from .annotation import relation
from .change import Flow, Level, Use
from .package import Alias, Function, Model, Package, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Set

UNSET = "UNSET"
# Of a model that nothing sends or answers with, programs may still do either.
EVERY_USE = frozenset({Use(Flow.SENT), Use(Flow.RECEIVED)})


@frozen
class SymbolChange:
    # Such as models.Task or api.tasks.submit_task.
    symbol: str
    # An attribute or argument, body or return among them; empty for the whole.
    member: str
    what: str
    level: Level
    why: str

    @property
    def path(self) -> str:
        return f"{self.symbol}.{self.member}" if self.member else self.symbol


@define
class PythonComparison:
    """Compares two packages. Which way a model goes decides which changes break programs."""

    old: Package
    new: Package
    uses_of: Callable[[str], Set[Use]]
    # Names of models that have another name now.
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
                yield from self.compare(name, symbol)

    def now(self, symbol: str) -> str:
        module, _, name = symbol.rpartition(".")
        return f"models.{self.renamed.get(name, name)}" if module == "models" else symbol

    def compare(self, name: str, symbol: str) -> Iterator[SymbolChange]:
        old, new = self.old.symbols[name], self.new.symbols[symbol]
        if isinstance(old, Function) and isinstance(new, Function):
            yield from self.compare_functions(name, old, new)
        elif isinstance(old, Model) and isinstance(new, Model):
            yield from self.compare_models(name, old, new)
        elif isinstance(old, Alias) and isinstance(new, Alias):
            yield from self.compare_annotations(name, "", old.annotation, new.annotation, self.uses(name))
        else:
            yield SymbolChange(name, "", "is no class any more", Level.MAJOR, "programs use it as one")

    def uses(self, symbol: str) -> Set[Use]:
        return self.uses_of(symbol.rpartition(".")[2]) or EVERY_USE

    # Functions

    def compare_functions(self, name: str, old: Function, new: Function) -> Iterator[SymbolChange]:
        gone, come = old.functions - new.functions, new.functions - old.functions
        if gone:
            yield SymbolChange(name, "return", f"{', '.join(sorted(gone))} removed", Level.MAJOR, "calls of it fail")
        if come:
            yield SymbolChange(name, "return", f"{', '.join(sorted(come))} added", Level.MINOR, "programs can use it")
        if old.positional != new.positional:
            slots = zip_longest(old.positional, new.positional)
            member = next(one or two or "" for one, two in slots if one != two)
            what = f"takes ({', '.join(new.positional)}), took ({', '.join(old.positional)})"
            yield SymbolChange(name, member, what, Level.MAJOR, "calls mean something else or fail")
        positional = {*old.positional, *new.positional}
        sent = frozenset({Use(Flow.SENT)})
        for each in sorted(old.parameters.keys() - new.parameters.keys() - positional):
            yield SymbolChange(name, each, "is removed", Level.MAJOR, "calls that pass it fail")
        for each in sorted(new.parameters.keys() - old.parameters.keys() - positional):
            yield added(name, each, new.parameters[each], sent)
        for each in sorted(old.parameters.keys() & new.parameters.keys()):
            yield from self.compare_values(name, each, old.parameters[each], new.parameters[each], sent)
        received = frozenset({Use(Flow.RECEIVED)})
        yield from self.compare_annotations(name, "return", old.returns, new.returns, received)

    # Models

    def compare_models(self, name: str, old: Model, new: Model) -> Iterator[SymbolChange]:
        uses = self.uses(name)
        for each in sorted(old.attributes.keys() - new.attributes.keys()):
            yield SymbolChange(name, each, "is removed", Level.MAJOR, "programs that use it fail")
        for each in sorted(new.attributes.keys() - old.attributes.keys()):
            yield added(name, each, new.attributes[each], uses)
        for each in sorted(old.attributes.keys() & new.attributes.keys()):
            yield from self.compare_values(name, each, old.attributes[each], new.attributes[each], uses)

    def compare_values(self, name: str, member: str, old: Value, new: Value, uses: Set[Use]) -> Iterator[SymbolChange]:
        yield from self.compare_annotations(name, member, old.annotation, new.annotation, uses)
        if Use(Flow.SENT) in uses and None not in (old.default, new.default) and old.default != new.default:
            what = f"is {new.default} when left out, was {old.default}"
            if old.default == UNSET:
                yield SymbolChange(name, member, what, Level.MINOR, "it is sent by itself")
            else:
                yield SymbolChange(name, member, what, Level.MAJOR, "another value is sent by itself")

    def compare_annotations(self, name: str, member: str, old: str, new: str, uses: Set[Use]) -> Iterator[SymbolChange]:
        if self.translated(old) == new:
            return
        change = relation(self.translated(old), new)
        if not change.narrower and not change.wider:
            return
        what = f"was {old}, is {new} now"
        if any(breaks(change.narrower, change.wider, use) for use in uses):
            yield SymbolChange(name, member, what, Level.MAJOR, "type checkers refuse programs that they accepted")
        else:
            yield SymbolChange(name, member, what, Level.MINOR, "type checkers accept what they accepted")

    def translated(self, annotation: str) -> str:
        """An old annotation with the names that models have now."""
        return re.sub(r"\w+", lambda word: self.renamed.get(word[0], word[0]), annotation)


def added(name: str, member: str, value: Value, uses: Set[Use]) -> SymbolChange:
    if value.default is None and any(use.flow is Flow.SENT for use in uses):
        return SymbolChange(name, member, "is added, required", Level.MAJOR, "calls without it fail")
    return SymbolChange(name, member, "is added", Level.MINOR, "programs can use it")


def breaks(narrower: bool, wider: bool, use: Use) -> bool:
    if use.open:
        return False
    return narrower if use.flow is Flow.SENT else wider
