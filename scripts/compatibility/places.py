"""The places of the spec from which the generator makes names, and how each is used."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from attrs import define, field

from .change import Use

if TYPE_CHECKING:
    from collections.abc import Iterable


@define(eq=False)
class Places:
    uses: defaultdict[str, set[Use]] = field(factory=lambda: defaultdict[str, set[Use]](set))
    # Labels, by the letters of the names that the generator makes from them.
    labels: defaultdict[str, list[str]] = field(factory=lambda: defaultdict[str, list[str]](list))

    def name(self, letters: str, label: str) -> None:
        """Note a name. Component schemas come first, and keep their names if a schema inside another has the same."""
        known = self.labels[bare(letters)]
        is_taken = known and known[0].startswith("schemas/") and known[0].count("/") == 1
        if label not in known and not is_taken:
            known.append(label)

    def use(self, labels: Iterable[str], use: Use | None) -> None:
        for label in labels:
            self.name(letters_of(label), label)
            if use is not None:
                self.uses[label].add(use)

    def of(self, name: str) -> list[str]:
        """Return the places from which the generator may have made a name, which may contain the word "response"."""
        names = dict.fromkeys((bare(name), bare(name).replace("response", "")))
        found = [label for each in names for label in self.labels.get(each, [])]
        return sorted(dict.fromkeys(found), key=lambda label: not label.startswith("schemas/"))

    def uses_of(self, name: str) -> set[Use]:
        return {use for label in self.of(name) for use in self.uses.get(label, ())}


def letters_of(label: str) -> str:
    """Return a label's letters without its kind, as the generator uses them in names."""
    return label.partition("/")[2].replace("[]", "item").replace("{}", "additional_property")


def bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
