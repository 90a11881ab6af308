"""Inputs with files, in the form that the journal keeps and in the form that is sent. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ..arguments import input_fields
from ..errors import InvalidInputError
from ..fields import encoded
from ..files.inputs import FILE, NAME, PLAIN_NAME, files_in, name_of, placed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..fields import Place
    from ..files.kinds import FileInput
    from ..files.register import Upload


@frozen
class Attached:
    """An input with files in it.

    Attributes:
        fields: The input's fields, with the files in them.
        files: The files.
        digests: The SHA-256 of each file; empty until the files were read.
        urls: The known URLs of uploaded contents, by digest.
    """

    fields: dict[str, Any]
    files: dict[Place, FileInput]
    digests: Mapping[Place, str] = {}
    urls: Mapping[str, str] = {}

    def described(self) -> tuple[dict[str, Any], bytes]:
        """Return the input as a journal keeps it, with digests in place of the files; and its JSON."""
        names = {place: name_of(file) or PLAIN_NAME for place, file in self.files.items()}
        fields = placed(self.fields, {place: {FILE: self.digests[place], NAME: names[place]} for place in names})
        return fields, encoded(fields)

    def sent(self) -> dict[str, Any]:
        """Return the input as it is sent, without the fields whose files have no known URL."""
        urls = {place: self.urls.get(digest) for place, digest in self.digests.items()}
        unknown = {place[0] for place in self.files if urls.get(place) is None}
        return {name: value for name, value in placed(self.fields, urls).items() if name not in unknown}


def taken(item: object) -> tuple[dict[str, Any], bytes, Attached | None]:
    """Return a deep copy of an input, so that the caller may change the original; its JSON; and its files.

    The JSON is empty if the input has files, because it has to hold their URLs. The files are None if there are none.

    Raises:
        InvalidInputError: The input is not a mapping, or cannot be sent. The message names the field.
    """
    if item is None:
        raise InvalidInputError("The input must be a mapping of names to values, not None; {} is an empty one.")
    fields = input_fields(item)
    files = files_in(fields)
    if not files:
        body = encoded(fields)
        return json.loads(body), body, None
    own = placed(fields, files)
    return own, b"", Attached(own, files)


def urls_of(uploads: Iterable[Upload]) -> dict[str, str]:
    """Return the URLs of uploads by digest."""
    return {upload.digest: upload.url for upload in uploads}
