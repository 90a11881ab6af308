"""Tables of text: they fit, whatever is in them, and lose only the ends of very long texts."""

import random

import pytest

from wavespeed_client.media.table import COLUMNS, MOST_LINES, table, width, wrapped

# Letters, wide letters, combining marks, and emoji.
LETTERS = "ab-. é中日\u0301\uff21😀"


@pytest.mark.parametrize(
    ("text", "columns"),
    [("cat", 3), ("中文", 4), ("e\u0301", 1), ("\uff21", 2), ("😀", 2), ("", 0), ("\u03b1", 1)],
)
def test_wide_characters_take_two_columns_and_marks_none(text: str, columns: int) -> None:
    assert width(text) == columns


def test_text_is_broken_between_words_and_long_words_are_split() -> None:
    assert wrapped("A cat sat on a mat", 7) == ["A cat", "sat on", "a mat"]
    assert wrapped("abcdefgh ij", 3) == ["abc", "def", "gh", "ij"]
    assert wrapped("中文字 x", 4) == ["中文", "字 x"]
    assert wrapped("", 5) == [""]
    assert wrapped("a\u0301\u0301b", 1) == ["a\u0301\u0301", "b"]


def test_very_long_text_is_cut_with_a_mark() -> None:
    lines = wrapped("cat " * 10_000, 20)
    assert (len(lines), lines[-1]) == (MOST_LINES, "…")


def test_cells_are_aligned() -> None:
    assert table([("input", "about"), ("名", "A cat. " * 3), ("x", "")], 20).splitlines() == [
        "input  about",
        "名     A cat. A cat.",
        "       A cat.",
        "x",
    ]


@pytest.mark.parametrize("seed", range(30))
def test_any_table_fits_and_keeps_its_words(seed: int) -> None:
    chance = random.Random(seed)
    rows = [
        tuple("".join(chance.choices(LETTERS, k=chance.choice([0, 3, 30, 150]))) for _ in range(4))
        for _ in range(chance.randint(1, 6))
    ]
    shown = table(rows)
    assert max(map(width, shown.splitlines())) <= COLUMNS
    if len(shown.splitlines()) < MOST_LINES:
        assert letters(shown) == letters(" ".join(map("".join, rows)))


def letters(text: str) -> list[str]:
    return sorted("".join(text.split()))
