"""Files inside inputs, without I/O: which values are files, where they are, and what replaces them."""

import io
import os
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from wavespeed_client import InvalidInputError
from wavespeed_client.files.inputs import files_in, name_of, placed, without_files


class Image:
    """An image with the attributes of Pillow's."""

    format = None
    filename = "folder/cat.webp"

    def save(self, fp: Any, format: str) -> None:
        pytest.fail("nothing is opened here")


PATH, FILE, IMAGE = Path("a/cat.png"), io.BytesIO(b"x"), Image()


def test_files_are_found_at_any_depth_and_text_is_no_file() -> None:
    given = {
        "image": PATH,
        "images": ["https://e.com/1.png", "a/cat.png", FILE, (IMAGE, PurePosixPath("/x"))],
        "loras": [{"path": PATH}, {"path": "~/cat.png", "scale": 1.5}],
        "prompt": "file:///etc/passwd",
    }
    found = {
        ("image",): PATH,
        ("images", 2): FILE,
        ("images", 3, 0): IMAGE,
        ("images", 3, 1): PurePosixPath("/x"),
        ("loras", 0, "path"): PATH,
    }
    assert files_in(given) == found
    assert list(files_in(given)) == list(found)
    assert files_in({"prompt": "a/cat.png", "n": [1, None, {"b": True}]}) == {}


def test_values_are_replaced_in_a_copy_of_the_input() -> None:
    inner = [{"path": PATH}, "b"]
    given = {"loras": inner, "size": (1, 2), "n": 1}
    put = placed(given, {("loras", 0, "path"): "https://e.com/x"})
    assert put == {"loras": [{"path": "https://e.com/x"}, "b"], "size": [1, 2], "n": 1}
    assert given == {"loras": [{"path": PATH}, "b"], "size": (1, 2), "n": 1}
    assert given["loras"] is inner


def test_values_beside_a_file_are_checked_too() -> None:
    for beside, reason in ((float("nan"), "^b is nan"), ("\ud800", "^b is text with half"), ({1}, "^b is set")):
        with pytest.raises(InvalidInputError, match=reason):
            files_in({"a": PATH, "b": beside})


def test_the_input_of_a_price_has_a_placeholder_url_for_each_file() -> None:
    given = {"image": Path("a/c\u00e4t 1.png"), "mask": FILE, "more": [IMAGE, "https://e.com/1.png"]}
    assert without_files(given) == {
        "image": "https://example.invalid/c%C3%A4t%201.png",
        "mask": "https://example.invalid/file",
        "more": ["https://example.invalid/cat.webp", "https://e.com/1.png"],
    }


class Named:
    def __init__(self, name: object) -> None:
        self.name = name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        (PATH, "cat.png"),
        (Path(os.fsdecode(b"\xff.png")), "?.png"),
        (Named("/tmp/a.wav"), "a.wav"),
        (IMAGE, "cat.webp"),
        (FILE, None),
        (Path(), None),
        *((Named(name), None) for name in (None, 3, "", b"a.png", "/")),
    ],
)
def test_the_name_of_a_file_is_text_or_none(file: object, name: str | None) -> None:
    assert name_of(file) == name
