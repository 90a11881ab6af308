"""The verdicts in data/verdicts.yaml, which were written by hand, compared with the program."""

import copy
import sys
from pathlib import Path
from typing import Any

import griffe
import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT

DATA = Path(__file__).parent / "data"

sys.path.insert(0, str(ROOT / "scripts"))
from compatibility.change import Level  # noqa: E402
from compatibility.document import Document  # noqa: E402
from compatibility.package import Package, generate, tree  # noqa: E402
from compatibility.verdict import compare  # noqa: E402

CASES: list[dict[str, Any]] = YAML(typ="safe").load(DATA / "verdicts.yaml")
SHOP: dict[str, Any] = YAML(typ="safe").load(DATA / "printshop.yaml")


# Edits


def find(data: Any, place: str) -> tuple[Any, Any]:
    """Return the holder of a place, and the place's key in it."""
    *steps, last = place.split(" > ")
    for step in steps:
        data = data[int(step)] if isinstance(data, list) else data[step]
    return data, int(last) if isinstance(data, list) else last


def edited(data: dict[str, Any], edit: dict[str, Any]) -> dict[str, Any]:
    data = copy.deepcopy(data)
    for step, places in edit.items():
        for place in places:
            if step == "refs":
                data = with_references(data, place, places[place])
                continue
            holder, key = find(data, place)
            match step:
                case "set":
                    holder[key] = copy.deepcopy(places[place])
                case "add":
                    holder[key].append(copy.deepcopy(places[place]))
                case "remove":
                    del holder[key]
                case "rename":
                    names = [places[place] if name == key else name for name in holder]
                    values = list(holder.values())
                    holder.clear()
                    holder.update(zip(names, values, strict=True))
                case "order":
                    old = holder[key]
                    holder[key] = [old[each] for each in places[place]]
                    if isinstance(old, dict):
                        holder[key] = {each: old[each] for each in places[place]}
                case _:
                    raise AssertionError(f"no such step: {step}")
    return data


def with_references(node: Any, old: str, new: str) -> Any:
    if isinstance(node, dict):
        return {key: with_references(value, old, new) for key, value in node.items()}
    if isinstance(node, list):
        return [with_references(each, old, new) for each in node]
    return f"#/components/schemas/{new}" if node == f"#/components/schemas/{old}" else node


# The table


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Document, Package]:
    document = Document("the shop", SHOP)
    return document, generate(document, tmp_path_factory.mktemp("shop") / "old")


@pytest.mark.parametrize("case", CASES, ids=[case["change"] for case in CASES])
def test_a_change_has_the_verdict_that_was_written_by_hand(
    case: dict[str, Any], shop: tuple[Document, Package], tmp_path: Path
) -> None:
    document, package = shop
    changed = Document("the changed shop", edited(SHOP, case["edit"]))
    changed_package = generate(changed, tmp_path / "new")

    verdict = compare(document, changed, package, changed_package)

    said = "\n".join(verdict.lines())
    assert (str(verdict.wire), str(verdict.python)) == (case["wire"], case["python"]), said
    if "lines" in case:
        assert len(verdict.changes) == case["lines"], said
    if "where" in case:
        assert case["where"] in {change.where for change in verdict.changes}, said
    gravest = [change for change in verdict.changes if change.level is verdict.level]
    assert not gravest or all(change.why for change in gravest)
    if breaks_for_griffe(package, changed_package):
        assert verdict.python is Level.MAJOR, said


def breaks_for_griffe(old: Package, new: Package) -> bool:
    """Ask griffe for a second opinion on removed names and changed arguments.

    It calls a new default breaking, and does not report the functions that check words.
    """
    changed = [path for path in old.code.keys() & new.code.keys() if old.code[path] != new.code[path]]
    breakages = [
        breakage
        for path in changed
        if not path.endswith("__init__.py")
        for breakage in griffe.find_breaking_changes(tree(path, old.code[path]), tree(path, new.code[path]))
    ]
    public = [each for each in breakages if ".check_" not in each.obj.path and "_VALUES" not in each.obj.path]
    return any(not str(each.old_value).endswith("= UNSET") or str(each.new_value).endswith("= None") for each in public)
