"""Kinds of media: the same on every system."""

import pytest

from wavespeed_client.media import kinds
from wavespeed_client.media.kinds import BINARY_ENDINGS, ending_for, ending_in, name_in, type_of

TABLE = kinds._TYPES


@pytest.mark.parametrize("ending", TABLE)
def test_every_media_type_leads_back_to_its_ending(ending: str) -> None:
    kind = type_of(f"a.b{ending.upper()}")
    assert kind == TABLE[ending]
    assert TABLE[ending_for(kind)] == kind
    assert ending_for(f" {kind.title()} ; charset=x") == ending_for(kind)
    assert ending_for(kind.replace("/x-", "/")) == ending_for(kind)


def test_endings_that_the_operating_system_may_not_know_are_known() -> None:
    for ending in (".webp", ".flac", ".m4a", ".glb", ".mkv", ".avif", ".heic", ".opus"):
        assert type_of(f"a{ending}") != kinds.OTHER
    assert (ending_for("image/jpeg"), ending_for("text/plain"), ending_for("video/mp4")) == (".jpeg", ".txt", ".mp4")
    assert (type_of("a"), type_of(""), type_of("a.unheard-of"), type_of("png")) == (kinds.OTHER,) * 4


@pytest.mark.parametrize(
    ("content_type", "ending"),
    [
        ("", ""),
        ("application/octet-stream", ""),
        ("nonsense", ""),
        ("text/html", ".txt"),
        ("text/x-unheard-of", ".txt"),
        ("audio/mp3", ".mp3"),
        ("audio/wave", ".wav"),
        ("image/x-icon", ".ico"),
    ],
)
def test_content_types_of_hosts_lead_to_endings(content_type: str, ending: str) -> None:
    assert ending_for(content_type) == ending


@pytest.mark.parametrize(
    ("head", "ending"),
    [
        (b"\x89PNG\r\n\x1a\n", ".png"),
        (b"\xff\xd8\xff\xdb", ".jpeg"),
        (b"RIFF\n\n\n\nWEBPVP8L", ".webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", ".wav"),
        (b"RIFF\0\0\0\0AVI LIST", ".avi"),
        (b"GIF89a", ".gif"),
        (b"\0\0\0\x20ftypisom", ".mp4"),
        (b"\0\0\0\x20ftypavif", ".avif"),
        (b"\0\0\0\x20ftypheic", ".heic"),
        (b"\0\0\0\x14ftypqt  ", ".mov"),
        (b"\0\0\0\x1cftypM4A ", ".m4a"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", ".webm"),
        (b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\x82\x88matroska", ".mkv"),
        (b"ID3\x04", ".mp3"),
        (b"\xff\xfb\x90d", ".mp3"),
        (b"\xff\xf1P\x80", ".aac"),
        (b"fLaC\0", ".flac"),
        (b"OggS\0", ".ogg"),
        (b"glTF\x02", ".glb"),
        (b"%PDF-1.7", ".pdf"),
        (b"PK\x03\x04", ".zip"),
        (b"<svg xmlns=", ".svg"),
        (b"<?xml version='1.0'?>\n<!-- a picture -->\n<svg>", ".svg"),
        (b"<?xml version='1.0'?>" + b" " * kinds.HEAD + b"<svg>", ""),
        (b"<svgx", ""),
        (b"a cat", ""),
        (b"", ""),
    ],
)
def test_a_files_first_bytes_tell_what_it_is(head: bytes, ending: str) -> None:
    assert ending_in(head + b"\0" * 600) == ending
    assert ending in ("", *BINARY_ENDINGS)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://e.com/a/1.jpeg", "1.jpeg"),
        (" https://e.com/a%20b.png?x=/y.jpg#/z.gif\n", "a b.png"),
        ("https://e.com/..%2f..%5cx.png", "x.png"),
        ("https://e.com/a/", ""),
        ("https://e.com", ""),
        ("https://e.com?a=/b.png", ""),
        ("https://[::1/x.png", "x.png"),
        ("text/a.png", ""),
        ("", ""),
    ],
)
def test_a_urls_path_tells_the_files_name(url: str, name: str) -> None:
    assert name_in(url) == name
