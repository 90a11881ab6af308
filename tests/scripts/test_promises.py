"""The table of promises is what the markers of the tests say."""

import sys

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from promises import PAGE, holders, marked, promises, table, with_table


def test_the_page_has_the_table_of_the_markers() -> None:
    page = PAGE.read_text("utf-8")
    assert with_table(page, table(promises(), holders())) == page


def test_a_promise_without_a_test_and_a_marker_without_a_promise_are_named() -> None:
    with pytest.raises(ValueError, match="no test holds these promises: b"):
        table({"a": "A.", "b": "B."}, {"a": ["test_a.py"]})
    with pytest.raises(ValueError, match="does not have: c"):
        table({"a": "A."}, {"a": ["test_a.py"], "c": ["test_c.py"]})


def test_markers_are_found_wherever_they_stand() -> None:
    assert "identity" in set(marked(ROOT / "tests" / "overlay" / "transport" / "test_identity.py"))


def test_a_page_without_a_place_for_it_is_named() -> None:
    with pytest.raises(ValueError, match="no place for the table of promises"):
        with_table("# A page", "")
