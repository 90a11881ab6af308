"""Media types by file ending, Content-Type or first bytes. The tables are our own: mime.types differs by system."""

from __future__ import annotations

import re
from urllib.parse import unquote

OTHER = "application/octet-stream"
TEXT_ENDING = ".txt"

# How many of a file's first bytes `ending_in` looks at.
HEAD = 512

# A file of a type gets the first ending listed for it.
_TYPES = {
    ".png": "image/png",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".ico": "image/vnd.microsoft.icon",
    ".jxl": "image/jxl",
    ".svg": "image/svg+xml",
    ".tiff": "image/tiff",
    ".tif": "image/tiff",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".avi": "video/x-msvideo",
    ".mpeg": "video/mpeg",
    ".mpg": "video/mpeg",
    ".ogv": "video/ogg",
    ".mp3": "audio/mpeg",
    ".wav": "audio/x-wav",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".aiff": "audio/aiff",
    ".weba": "audio/webm",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".obj": "model/obj",
    ".stl": "model/stl",
    ".3mf": "model/3mf",
    ".usdz": "model/vnd.usdz+zip",
    ".zip": "application/zip",
    ".pdf": "application/pdf",
    ".json": "application/json",
    ".srt": "application/x-subrip",
    TEXT_ENDING: "text/plain",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".vtt": "text/vtt",
}

# Other names that hosts use for these types. A leading `x-` is ignored.
_OTHER_NAMES = {
    "image/jpg": ".jpeg",
    "image/pjpeg": ".jpeg",
    "image/icon": ".ico",
    "image/ms-bmp": ".bmp",
    "video/m4v": ".m4v",
    "audio/mp3": ".mp3",
    "audio/wave": ".wav",
    "audio/vnd.wave": ".wav",
    "audio/m4a": ".m4a",
    "audio/opus": ".opus",
    "application/zip-compressed": ".zip",
}

_ENDINGS = {kind.replace("/x-", "/"): ending for ending, kind in reversed(_TYPES.items())} | _OTHER_NAMES

_PATH = re.compile(r"[^:/?#]+://[^/?#]*([^?#]*)")

_SIGNATURES = [
    (re.compile(pattern, re.DOTALL), ending)
    for pattern, ending in (
        (rb"\x89PNG", ".png"),
        (rb"\xff\xd8\xff", ".jpeg"),
        (rb"RIFF....WEBP", ".webp"),
        (rb"GIF8[79]a", ".gif"),
        (rb"II\*\0|MM\0\*", ".tiff"),
        (rb"\0\0\0\x0cJXL ", ".jxl"),
        (rb"\s*(<\?xml.*)?<svg[\s>]", ".svg"),
        (rb"....ftypavi[fs]", ".avif"),
        (rb"....ftyp(hei[cx]|mif1)", ".heic"),
        (rb"....ftypqt  ", ".mov"),
        (rb"....ftypM4A ", ".m4a"),
        (rb"....ftyp", ".mp4"),
        (rb"\x1aE\xdf\xa3.*webm", ".webm"),
        (rb"\x1aE\xdf\xa3", ".mkv"),
        (rb"RIFF....AVI ", ".avi"),
        (rb"RIFF....WAVE", ".wav"),
        (rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", ".mp3"),
        (rb"\xff[\xf1\xf9]", ".aac"),
        (rb"fLaC", ".flac"),
        (rb"OggS", ".ogg"),
        (rb"glTF", ".glb"),
        (rb"%PDF-", ".pdf"),
        (rb"PK\x03\x04", ".zip"),
    )
]


def name_in(url: str) -> str:
    """Return the file name at the end of a URL's path; empty if there is none."""
    path = _PATH.match(url.strip())
    return unquote(path[1]).replace("\\", "/").rpartition("/")[2] if path else ""


def type_of(name: str) -> str:
    """Return the media type for a name's ending; application/octet-stream if the ending is unknown."""
    return _TYPES.get(name[max(name.rfind("."), 0) :].lower(), OTHER)


def ending_for(content_type: str) -> str:
    """Return the ending, with its dot, for a Content-Type; empty if the type is unknown.

    Other kinds of text become .txt, even HTML: a browser should not run an output as a page.
    """
    kind = content_type.partition(";")[0].strip().lower().replace("/x-", "/")
    return _ENDINGS.get(kind) or (TEXT_ENDING if kind.startswith("text/") else "")


def ending_in(head: bytes) -> str:
    """Return the ending for a file's first bytes; empty if they are not recognized."""
    return next((ending for pattern, ending in _SIGNATURES if pattern.match(head[:HEAD])), "")


# Endings that a saved output may have if its URL has none. Text is left out: such a file may be the user's own note.
BINARY_ENDINGS = (
    *(ending for ending, kind in _TYPES.items() if not kind.startswith("text/") and ending != ".json"),
    ".bin",
)
