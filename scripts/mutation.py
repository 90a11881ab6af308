"""Mutants of the generated client: how a rule makes them, and how one takes the place of the real code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class RuleError(Exception):
    """A rule does not fit the generated code."""


@dataclass(frozen=True)
class Rule:
    """A way to be wrong.

    Attributes:
        name: Its name.
        where: Which files of the package it looks at.
        pattern: A regular expression; ^ and $ are the ends of lines.
        replacement: What stands there instead, as in `re.sub`.
        why: What goes wrong for users.
        tests: Text in the names of the tests to run first; else those that name the file's operation or model.
        equivalent: The proof that nobody can tell the difference, where that is so.
    """

    name: str
    where: str
    pattern: str
    replacement: str
    why: str
    tests: str = ""
    equivalent: str = ""


@dataclass(frozen=True)
class Mutant:
    """One change of one generated file.

    Attributes:
        name: Rule, file and place.
        rule: The rule that it follows.
        path: The file, within the package.
        what: What the rule's pattern found there.
        source: The file's text with the change.
    """

    name: str
    rule: Rule
    path: str
    what: str
    source: str


def mutants(package: Path, rules: tuple[Rule, ...]) -> list[Mutant]:
    """Every mutant of a package, in the order of the rules.

    Raises:
        RuleError: A rule matches nothing, or changes nothing.
    """
    sources = {path.relative_to(package).as_posix(): path.read_text("utf-8") for path in sorted(package.rglob("*.py"))}
    found: dict[str, Mutant] = {}
    for rule in rules:
        made = [mutant for path, source in sources.items() for mutant in _mutants_of(path, source, rule)]
        if not made:
            raise RuleError(f"{rule.name} matches nothing in {rule.where}: the generated code has changed its form")
        for mutant in made:
            name, number = mutant.name, 2
            while name in found:
                name, number = f"{mutant.name}.{number}", number + 1
            found[name] = Mutant(name, rule, mutant.path, mutant.what, mutant.source)
    return list(found.values())


def _mutants_of(path: str, source: str, rule: Rule) -> Iterator[Mutant]:
    for match in re.finditer(rule.pattern, source, re.MULTILINE) if fnmatch(path, rule.where) else ():
        changed = source[: match.start()] + match.expand(rule.replacement) + source[match.end() :]
        if changed == source:
            raise RuleError(f"{rule.name} changes nothing in {path}")
        what = match.groupdict().get("what", "")
        stem = path.rpartition("/")[2].removesuffix(".py")
        yield Mutant(":".join(filter(None, (rule.name, stem, what))), rule, path, what, changed)


def put_in_place(module: ModuleType, source: str) -> bool:
    """Let the module's functions, methods and sets of words do what the source says; whether that differs.

    They keep their identity: a class that was imported by name elsewhere is the class that changes. Other changes,
    of names or of a class's fields, are not taken over.
    """
    changed = ModuleType(module.__name__)
    changed.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    exec(compile(source, str(module.__file__), "exec"), changed.__dict__)  # noqa: S102 - the project's own code
    return _replace_in(vars(module), vars(changed), module.__name__)


def _replace_in(old: Any, new: Any, module: str) -> bool:
    """Replace each member that both namespaces have; whether anything differed."""
    replaced = [_replace(old[name], member, module) for name, member in list(new.items()) if name in old]
    return any(replaced)


def _replace(old: Any, new: Any, module: str) -> bool:
    if old is new or type(old) is not type(new):
        return False
    if isinstance(_function(new), FunctionType):
        return _replace_code(_function(old), _function(new))
    if isinstance(new, type):
        return new.__module__ == module and _replace_in(vars(old), vars(new), module)
    if isinstance(new, set):
        differs = bool(old != new)
        old.clear()
        old.update(new)
        return differs
    return False


def _function(member: Any) -> Any:
    """The function itself, also of a class method or a property."""
    return getattr(member, "__func__", None) or getattr(member, "fget", member)


def _replace_code(old: Any, new: Any) -> bool:
    differs = bool(_runs(old) != _runs(new))
    old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__
    return differs


def _runs(function: Any) -> Any:
    return function.__code__, function.__defaults__, function.__kwdefaults__
