"""Facts of models, rendered as one module of TypedDicts and tokens."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING, Any

from attrs import define, field

from ..catalogue.limits import words_of
from ..catalogue.literals import literal
from ..catalogue.schema import RULES, type_of_value, types_of
from .names import check_names, class_stem, field_part, token_name
from .source import docstring

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..catalogue.schema import Facts

# What each written file begins with.
MARK = '"""Inputs of models, with types.'
HEADER = f'''\
{MARK} Written by `python -m wavespeed_client.typed`: change it by that command alone."""
# ruff: noqa
# fmt: off
# isort: skip_file

'''
IMPORTS = {
    "typing": ("Any", "Literal", "NotRequired", "TypeAlias", "TypedDict"),
    "wavespeed_client": ("FileInput",),
    "wavespeed_client.typed": ("ListOf", "ModelOf"),
}
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
# Names that annotations use: a field of such a name cannot stand in the body of its class.
_USED = {*_SCALARS.values(), "dict", "list", *(name for names in IMPORTS.values() for name in names)}
_STRING = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\]|\\.)*"')
_FIELD_NAME = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")


def render(models: Mapping[str, Facts]) -> str:
    """Return the module for these models, which depends on nothing else.

    Raises:
        InvalidInputError: Two of them would have one name.
    """
    check_names(models)
    body = "\n\n".join(text for model in sorted(models) for text in definitions(model, models[model]).values())
    code, lines = _STRING.sub("", body), list[str]()
    for module, names in IMPORTS.items():
        used = [name for name in names if re.search(rf"\b{name}\b", code)]
        lines += [f"from {module} import {', '.join(used)}"] if used else []
    return HEADER + "\n".join(lines) + "\n\n\n" + body


def definitions(model: str, facts: Facts) -> dict[str, str]:
    """Return what defines the names of a model, by name, in the order in which they need each other."""
    stem, writer = class_stem(model), _Writer()
    more = ["The service has rules between its fields, too."] if any(rule in facts for rule in RULES) else []
    words = " ".join([f"Input of {model}.", *more])
    writer.write_class(f"{stem}Input", stem, facts, words)
    # In quotes it is not evaluated on import, and pyright does not walk back through the module for it.
    token = f'{token_name(model)}: "ModelOf[{stem}Input]" = ModelOf({literal(model)})\n'
    return {**writer.found, token_name(model): token}


@define
class _Writer:
    """Writes the classes of one model.

    Attributes:
        found: What is written, by its name.
    """

    found: dict[str, str] = field(factory=dict[str, str])
    _names: set[str] = field(factory=set[str])

    def write_class(self, name: str, stem: str, facts: Facts, words: str) -> None:
        properties: dict[str, Facts] = facts.get("properties", {})
        types = {each: self._type(properties[each], self._free(stem, each)) for each in sorted(properties)}
        needed = set(facts.get("required", ()))
        types = {each: kind if each in needed else f"NotRequired[{kind}]" for each, kind in types.items()}
        fields = {each: types[each] for each in facts.get("order", types)}
        plain = all(_FIELD_NAME.fullmatch(each) and not keyword.iskeyword(each) for each in fields)
        write = _class if plain and not fields.keys() & (_USED | self._names) else _call
        self.found[name] = write(name, fields, properties, words)

    def _free(self, stem: str, field_name: str) -> str:
        """Return the name for what is below a field. Fields that would share one are numbered."""
        wanted = name = f"{stem}_{field_part(field_name)}"
        number = 1
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name

    def _type(self, facts: Facts, name: str) -> str:
        """Return the annotation for values, and define what it needs by this name."""
        kinds = list(dict.fromkeys(self._kinds(facts, name)))
        return "Any" if "Any" in kinds or not kinds else " | ".join(kinds)

    def _kinds(self, facts: Facts, name: str) -> list[str]:
        """Return what an annotation is the union of."""
        values: list[Any] = [facts["const"]] if "const" in facts else facts.get("enum", [])
        if values and all(value is None or isinstance(value, str | int) for value in values):
            self.found[name] = f"{name}: TypeAlias = Literal[{', '.join(map(literal, values))}]\n"
            return [name]
        said = types_of(facts) or sorted({type_of_value(value) for value in values})
        if len(said) == 1:
            return self._one_type(said[0], facts, name)
        forms: list[Facts] = [{**facts, "type": kind} for kind in said]
        forms = forms or facts.get("anyOf") or facts.get("oneOf", [])
        numbered = [(form, self._free(name, f"Form{number}")) for number, form in enumerate(forms, 1)]
        return [kind for form, inner in numbered for kind in self._kinds(form, inner) or ["Any"]]

    def _one_type(self, kind: str, facts: Facts, name: str) -> list[str]:
        if kind == "array":
            return [_list(self._type(facts.get("items", {}), name))]
        if kind == "object" and "properties" in facts:
            self.write_class(name, name, facts, facts.get("description", ""))
            return [name]
        if kind == "object":
            further = facts.get("additionalProperties")
            return [f"dict[str, {self._type(further, name) if further else 'Any'}]"]
        return ["str", "FileInput"] if kind == "string" and "file" in facts else [_SCALARS[kind]]


def _class(name: str, fields: dict[str, str], properties: Mapping[str, Facts], words: str) -> str:
    lines = [f"class {name}(TypedDict):"]
    if words:
        lines += [docstring(words, "    "), ""]
    for each, kind in fields.items():
        lines.append(f"    {each}: {kind}")
        if said := words_of(properties[each]):
            lines.append(docstring(said, "    "))
    lines = lines if fields or words else [*lines, "    pass"]
    return "\n".join(lines).rstrip() + "\n"


def _call(name: str, fields: dict[str, str], properties: Mapping[str, Facts], words: str) -> str:
    """Write a class some of whose fields have names that are none in Python."""
    entries = [f"    {literal(each)}: {kind}," for each, kind in fields.items()]
    said = {each: words_of(properties[each]) for each in fields}
    words = " ".join([words, *(f"{literal(each)}: {text}" for each, text in said.items() if text)]).strip()
    lines = [f'{name} = TypedDict("{name}", {{', *entries, "})", *([docstring(words, "")] if words else [])]
    return "\n".join(lines) + "\n"


def _list(item: str) -> str:
    """Return a list that takes lists of narrower items, too, where the item has narrower ones."""
    return f"ListOf[{item}]" if "|" in item or item == "float" else f"list[{item}]"
