# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="UsageQuery")


@_attrs_define
class UsageQuery:
    """The time span to report on."""

    start_time: datetime.datetime
    """ Its start. """
    end_time: datetime.datetime
    """ Its end, at most 31 days after its start. """
    model_uuid: str | Unset = UNSET
    """ Only this model id. """

    def to_dict(self) -> dict[str, Any]:
        start_time = self.start_time.isoformat()

        end_time = self.end_time.isoformat()

        model_uuid = self.model_uuid

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "start_time": start_time,
                "end_time": end_time,
            }
        )
        if model_uuid is not UNSET:
            field_dict["model_uuid"] = model_uuid

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        start_time = datetime.datetime.fromisoformat(d.pop("start_time"))

        end_time = datetime.datetime.fromisoformat(d.pop("end_time"))

        model_uuid = d.pop("model_uuid", UNSET)

        usage_query = cls(
            start_time=start_time,
            end_time=end_time,
            model_uuid=model_uuid,
        )

        return usage_query
