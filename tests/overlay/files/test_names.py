"""Names of files: what remains of a text, what counts as an ending, and which number is free."""

import ntpath
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavespeed_client.files.names import LONGEST_NAME, ending_of, first_free, numbered, safe_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1.jpeg", "1.jpeg"),
        ("a/b\\c:d*e?.png", "a_b_c_d_e_.png"),
        ("..", ""),
        (" . . ", ""),
        ("a. .", "a"),
        ("\x00\x1f\x7f\u202egnp.exe\u2028", "gnp.exe"),
        ("CON", "_CON"),
        ("con", "_con"),
        ("Aux.png", "_Aux.png"),
        ("nul .txt", "_nul .txt"),
        ("COM1.tar.gz", "_COM1.tar.gz"),
        ("lpt\u00b9", "_lpt\u00b9"),
        ("conin$", "_conin$"),
        ("console.png", "console.png"),
        ("com10.png", "com10.png"),
        ("aux-1.png", "aux-1.png"),
        ("\u65e5" * 100 + ".png", "\u65e5" * 48 + ".png"),
        ("x" * 300 + ". ", "x" * LONGEST_NAME),
        ("\ud800.png", ".png"[1:]),
    ],
)
def test_safe_names_are_valid_on_every_system(text: str, name: str) -> None:
    assert safe_name(text) == name


@given(st.text(st.characters(exclude_categories=())), st.sampled_from(["", "CON", "aux.", "COM\u00b2 .", "LPT9."]))
def test_no_text_becomes_a_name_that_a_system_refuses(text: str, begin: str) -> None:
    name = safe_name(begin + text)
    assert len(name.encode()) <= LONGEST_NAME + 1
    assert not set(name) & set('<>:"/\\|?*')
    assert name.isprintable()
    assert name == name.strip(" .")
    if sys.version_info >= (3, 13) and name:
        assert not ntpath.isreserved(name)


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("1.jpeg", ".jpeg"),
        ("a.tar.gz", ".gz"),
        ("a.3gp", ".3gp"),
        ("a.MP4", ".MP4"),
        ("a.safetensors", ".safetensors"),
        ("v1.0", ""),
        ("jpeg", ""),
        (".jpeg", ""),
        ("a.", ""),
        ("", ""),
        ("a.b c", ""),
        ("a.\u00fcmlaut", ""),
        ("What is this. No idea", ""),
        ("a." + "x" * 13, ""),
    ],
)
def test_an_ending_is_short_and_has_a_letter(name: str, ending: str) -> None:
    assert ending_of(name) == ending
    assert numbered(name, 1) == name
    assert numbered(name, 12) == f"{name[: len(name) - len(ending)]}-12{ending}"


@given(st.integers(0, 5000))
def test_a_free_number_is_found_in_few_steps(taken: int) -> None:
    tried: list[int] = []
    assert first_free(lambda number: tried.append(number) or number <= taken) == taken + 1
    assert len(tried) <= 2 * (taken + 1).bit_length() + 1


@given(st.sets(st.integers(1, 60)))
def test_the_chosen_number_is_free_even_if_the_taken_ones_have_gaps(taken: set[int]) -> None:
    assert first_free(taken.__contains__) not in taken
