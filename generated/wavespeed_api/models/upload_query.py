# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="UploadQuery")


@_attrs_define
class UploadQuery:
    """A file to upload."""

    filename: str
    """ The file's name. Its extension determines the kind of media. """
    size: int
    """ The file's size in bytes, at most 200 MiB. """
    content_type: str | Unset = UNSET
    """ The file's media type. """

    def to_dict(self) -> dict[str, Any]:
        filename = self.filename

        size = self.size

        content_type = self.content_type

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "filename": filename,
                "size": size,
            }
        )
        if content_type is not UNSET:
            field_dict["content_type"] = content_type

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        filename = d.pop("filename")

        size = d.pop("size")

        content_type = d.pop("content_type", UNSET)

        upload_query = cls(
            filename=filename,
            size=size,
            content_type=content_type,
        )

        return upload_query
