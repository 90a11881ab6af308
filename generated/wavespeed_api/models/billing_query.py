# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.billing_query_billing_type import (
    BillingQueryBillingType,
    check_billing_query_billing_type,
)
from ..models.billing_query_sort import BillingQuerySort, check_billing_query_sort
from ..types import UNSET, Unset

T = TypeVar("T", bound="BillingQuery")


@_attrs_define
class BillingQuery:
    """Filters of a list of billing records. All must match."""

    page: int = 1
    """ Number of the page, from 1. """
    page_size: int = 10
    """ Records on a page. """
    billing_type: BillingQueryBillingType | Unset = UNSET
    """ Only charges, or only refunds. """
    prediction_uuids: list[str] | Unset = UNSET
    """ Only records of these tasks. """
    model_uuid: str | Unset = UNSET
    """ Only records of this model id. Not documented, but sent by the official command line. """
    access_key_uuid: str | Unset = UNSET
    """ Only records of this API key. Not documented, but sent by the official command line. """
    start_time: str | Unset = UNSET
    """ Only records from this time on: milliseconds since 1970-01-01 UTC, as text. The official command line sends
    ISO 8601 instead. """
    end_time: str | Unset = UNSET
    """ Only records before this time, in the form of `start_time`. """
    sort: BillingQuerySort | Unset = UNSET
    """ The order. """

    def to_dict(self) -> dict[str, Any]:
        page = self.page

        page_size = self.page_size

        billing_type: str | Unset = UNSET
        if not isinstance(self.billing_type, Unset):
            billing_type = self.billing_type

        prediction_uuids: list[str] | Unset = UNSET
        if not isinstance(self.prediction_uuids, Unset):
            prediction_uuids = self.prediction_uuids

        model_uuid = self.model_uuid

        access_key_uuid = self.access_key_uuid

        start_time = self.start_time

        end_time = self.end_time

        sort: str | Unset = UNSET
        if not isinstance(self.sort, Unset):
            sort = self.sort

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "page": page,
                "page_size": page_size,
            }
        )
        if billing_type is not UNSET:
            field_dict["billing_type"] = billing_type
        if prediction_uuids is not UNSET:
            field_dict["prediction_uuids"] = prediction_uuids
        if model_uuid is not UNSET:
            field_dict["model_uuid"] = model_uuid
        if access_key_uuid is not UNSET:
            field_dict["access_key_uuid"] = access_key_uuid
        if start_time is not UNSET:
            field_dict["start_time"] = start_time
        if end_time is not UNSET:
            field_dict["end_time"] = end_time
        if sort is not UNSET:
            field_dict["sort"] = sort

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        page = d.pop("page")

        page_size = d.pop("page_size")

        _billing_type = d.pop("billing_type", UNSET)
        billing_type: BillingQueryBillingType | Unset
        if isinstance(_billing_type, Unset):
            billing_type = UNSET
        else:
            billing_type = check_billing_query_billing_type(_billing_type)

        prediction_uuids = cast(list[str], d.pop("prediction_uuids", UNSET))

        model_uuid = d.pop("model_uuid", UNSET)

        access_key_uuid = d.pop("access_key_uuid", UNSET)

        start_time = d.pop("start_time", UNSET)

        end_time = d.pop("end_time", UNSET)

        _sort = d.pop("sort", UNSET)
        sort: BillingQuerySort | Unset
        if isinstance(_sort, Unset):
            sort = UNSET
        else:
            sort = check_billing_query_sort(_sort)

        billing_query = cls(
            page=page,
            page_size=page_size,
            billing_type=billing_type,
            prediction_uuids=prediction_uuids,
            model_uuid=model_uuid,
            access_key_uuid=access_key_uuid,
            start_time=start_time,
            end_time=end_time,
            sort=sort,
        )

        return billing_query
