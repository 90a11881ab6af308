"""Mutants of the generated client: how a rule makes them, and how one replaces the real code."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatch
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class MutantsError(Exception):
    """No mutant was tried; the message says why."""


@dataclass(frozen=True)
class Rule:
    """One kind of mistake.

    Attributes:
        name: Its name.
        where: Which files of the package it looks at.
        pattern: A regular expression; ^ and $ are the ends of lines.
        replacement: The replacement, as in `re.sub`.
        why: What goes wrong for users.
        tests: Text in the names of the tests to run first. By default, these name the file's operation or model.
        equivalent: The proof that no program can notice the change, if that is so.
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
        rule: The rule that made it.
        path: The file, within the package.
        what: The text that the rule's group `what` matched.
        source: The file's text with the change.
    """

    name: str
    rule: Rule
    path: str
    what: str
    source: str


def mutants(package: Path, rules: tuple[Rule, ...]) -> Iterator[Mutant]:
    """Yield every mutant of a package, in the order of the rules.

    Raises:
        MutantsError: A rule matches nothing, or changes nothing.
    """
    sources = {path.relative_to(package).as_posix(): path.read_text("utf-8") for path in sorted(package.rglob("*.py"))}
    names = Counter[str]()
    for rule in rules:
        found = [(path, match) for path in sources for match in matches(rule, path, sources[path])]
        if not found:
            raise MutantsError(f"{rule.name} matches nothing in {rule.where}: the generated code has changed its form")
        for path, match in found:
            source = match.string
            changed = source[: match.start()] + match.expand(rule.replacement) + source[match.end() :]
            if changed == source:
                raise MutantsError(f"{rule.name} changes nothing in {path}")
            what = match.groupdict().get("what", "")
            name = ":".join(filter(None, (rule.name, path.rpartition("/")[2].removesuffix(".py"), what)))
            names[name] += 1
            number = f".{names[name]}" if names[name] > 1 else ""
            yield Mutant(f"{name}{number}", rule, path, what, changed)


def matches(rule: Rule, path: str, source: str) -> Iterator[re.Match[str]]:
    return re.finditer(rule.pattern, source, re.MULTILINE) if fnmatch(path, rule.where) else iter(())


def put_in_place(module: ModuleType, source: str) -> bool:
    """Replace a module's functions, methods and sets of words by those of the source; return whether any differed.

    Objects keep their identity, so a class that was imported elsewhere changes, too. Other changes, such as those of
    names or of a class's fields, have no effect.
    """
    changed = ModuleType(module.__name__)
    changed.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    exec(compile(source, str(module.__file__), "exec"), changed.__dict__)  # noqa: S102 - the project's own code
    return replace_all(vars(module), vars(changed), module.__name__)


def replace_all(old: Any, new: Any, module: str) -> bool:
    """Replace each member that both namespaces have; return whether any differed."""
    differs = [replace(old[name], member, module) for name, member in list(new.items()) if name in old]
    return any(differs)


def replace(old: Any, new: Any, module: str) -> bool:
    if old is new or type(old) is not type(new):
        return False
    one, two = function_of(old), function_of(new)
    if isinstance(two, FunctionType):
        parts = ("__code__", "__defaults__", "__kwdefaults__")
        differs = any(getattr(one, part) != getattr(two, part) for part in parts)
        for part in parts:
            setattr(one, part, getattr(two, part))
        return differs
    if isinstance(new, type):
        return new.__module__ == module and replace_all(vars(old), vars(new), module)
    if isinstance(new, set):
        differs = bool(old != new)
        old.clear()
        old.update(new)
        return differs
    return False


def function_of(member: Any) -> Any:
    """Return the function behind a function, class method or property."""
    return getattr(member, "__func__", None) or getattr(member, "fget", member)
