# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.prediction_query_status import PredictionQueryStatus, check_prediction_query_status
from ..types import UNSET, Unset

T = TypeVar("T", bound="PredictionQuery")


@_attrs_define
class PredictionQuery:
    """Filters of a list of tasks. All must match."""

    page: int = 1
    """ Number of the page, from 1. """
    page_size: int = 100
    """ Tasks on a page. """
    model: str | Unset = UNSET
    """ Only tasks of this model id. """
    status: PredictionQueryStatus | Unset = UNSET
    """ Only tasks with this status. """
    created_after: datetime.datetime | Unset = UNSET
    """ Only tasks submitted after this time. """
    created_before: datetime.datetime | Unset = UNSET
    """ Only tasks submitted before this time. """
    include_inputs: bool | Unset = UNSET
    """ Whether to include each task's `inputs`. Not documented, but sent by the official command line. By default,
    they are omitted. """

    def to_dict(self) -> dict[str, Any]:
        page = self.page

        page_size = self.page_size

        model = self.model

        status: str | Unset = UNSET
        if not isinstance(self.status, Unset):
            status = self.status

        created_after: str | Unset = UNSET
        if not isinstance(self.created_after, Unset):
            created_after = self.created_after.isoformat()

        created_before: str | Unset = UNSET
        if not isinstance(self.created_before, Unset):
            created_before = self.created_before.isoformat()

        include_inputs = self.include_inputs

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "page": page,
                "page_size": page_size,
            }
        )
        if model is not UNSET:
            field_dict["model"] = model
        if status is not UNSET:
            field_dict["status"] = status
        if created_after is not UNSET:
            field_dict["created_after"] = created_after
        if created_before is not UNSET:
            field_dict["created_before"] = created_before
        if include_inputs is not UNSET:
            field_dict["include_inputs"] = include_inputs

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        page = d.pop("page")

        page_size = d.pop("page_size")

        model = d.pop("model", UNSET)

        _status = d.pop("status", UNSET)
        status: PredictionQueryStatus | Unset
        if isinstance(_status, Unset):
            status = UNSET
        else:
            status = check_prediction_query_status(_status)

        _created_after = d.pop("created_after", UNSET)
        created_after: datetime.datetime | Unset
        if isinstance(_created_after, Unset):
            created_after = UNSET
        else:
            created_after = datetime.datetime.fromisoformat(_created_after)

        _created_before = d.pop("created_before", UNSET)
        created_before: datetime.datetime | Unset
        if isinstance(_created_before, Unset):
            created_before = UNSET
        else:
            created_before = datetime.datetime.fromisoformat(_created_before)

        include_inputs = d.pop("include_inputs", UNSET)

        prediction_query = cls(
            page=page,
            page_size=page_size,
            model=model,
            status=status,
            created_after=created_after,
            created_before=created_before,
            include_inputs=include_inputs,
        )

        return prediction_query
