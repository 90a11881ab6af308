# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.billed_order import BilledOrder
    from ..models.billed_task import BilledTask


T = TypeVar("T", bound="Billing")


@_attrs_define
class Billing:
    """A charge or a refund."""

    uuid: str
    """ The record's id. """
    billing_type: str
    """ `deduct` for a charge, `refund` for a refund. """
    price: float
    """ The amount in USD. """
    created_at: None | str | Unset = UNSET
    """ When it was made, in UTC. """
    updated_at: None | str | Unset = UNSET
    """ When it was last changed, in UTC. """
    access_key_id: int | None | str | Unset = UNSET
    """ Number of the API key. """
    access_key_name: None | str | Unset = UNSET
    """ Name of the API key. """
    access_key_uuid: None | str | Unset = UNSET
    """ Id of the API key. """
    order: BilledOrder | None | Unset = UNSET
    """ The order of this record. """
    prediction: BilledTask | None | Unset = UNSET
    """ The task of this record. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.billed_order import BilledOrder  # noqa: PLC0415
        from ..models.billed_task import BilledTask  # noqa: PLC0415

        uuid = self.uuid

        billing_type = self.billing_type

        price = self.price

        created_at: None | str | Unset
        if isinstance(self.created_at, Unset):
            created_at = UNSET
        else:
            created_at = self.created_at

        updated_at: None | str | Unset
        if isinstance(self.updated_at, Unset):
            updated_at = UNSET
        else:
            updated_at = self.updated_at

        access_key_id: int | None | str | Unset
        if isinstance(self.access_key_id, Unset):
            access_key_id = UNSET
        else:
            access_key_id = self.access_key_id

        access_key_name: None | str | Unset
        if isinstance(self.access_key_name, Unset):
            access_key_name = UNSET
        else:
            access_key_name = self.access_key_name

        access_key_uuid: None | str | Unset
        if isinstance(self.access_key_uuid, Unset):
            access_key_uuid = UNSET
        else:
            access_key_uuid = self.access_key_uuid

        order: dict[str, Any] | None | Unset
        if isinstance(self.order, Unset):
            order = UNSET
        elif isinstance(self.order, BilledOrder):
            order = self.order.to_dict()
        else:
            order = self.order

        prediction: dict[str, Any] | None | Unset
        if isinstance(self.prediction, Unset):
            prediction = UNSET
        elif isinstance(self.prediction, BilledTask):
            prediction = self.prediction.to_dict()
        else:
            prediction = self.prediction

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "uuid": uuid,
                "billing_type": billing_type,
                "price": price,
            }
        )
        if created_at is not UNSET:
            field_dict["created_at"] = created_at
        if updated_at is not UNSET:
            field_dict["updated_at"] = updated_at
        if access_key_id is not UNSET:
            field_dict["access_key_id"] = access_key_id
        if access_key_name is not UNSET:
            field_dict["access_key_name"] = access_key_name
        if access_key_uuid is not UNSET:
            field_dict["access_key_uuid"] = access_key_uuid
        if order is not UNSET:
            field_dict["order"] = order
        if prediction is not UNSET:
            field_dict["prediction"] = prediction

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.billed_order import BilledOrder  # noqa: PLC0415
        from ..models.billed_task import BilledTask  # noqa: PLC0415

        d = dict(src_dict)
        uuid = d.pop("uuid")

        billing_type = d.pop("billing_type")

        price = d.pop("price")

        def _parse_created_at(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        created_at = _parse_created_at(d.pop("created_at", UNSET))

        def _parse_updated_at(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        updated_at = _parse_updated_at(d.pop("updated_at", UNSET))

        def _parse_access_key_id(data: object) -> int | None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | str | Unset, data)

        access_key_id = _parse_access_key_id(d.pop("access_key_id", UNSET))

        def _parse_access_key_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        access_key_name = _parse_access_key_name(d.pop("access_key_name", UNSET))

        def _parse_access_key_uuid(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        access_key_uuid = _parse_access_key_uuid(d.pop("access_key_uuid", UNSET))

        def _parse_order(data: object) -> BilledOrder | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                order_type_0 = BilledOrder.from_dict(data)

                return order_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(BilledOrder | None | Unset, data)

        order = _parse_order(d.pop("order", UNSET))

        def _parse_prediction(data: object) -> BilledTask | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                prediction_type_0 = BilledTask.from_dict(data)

                return prediction_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(BilledTask | None | Unset, data)

        prediction = _parse_prediction(d.pop("prediction", UNSET))

        billing = cls(
            uuid=uuid,
            billing_type=billing_type,
            price=price,
            created_at=created_at,
            updated_at=updated_at,
            access_key_id=access_key_id,
            access_key_name=access_key_name,
            access_key_uuid=access_key_uuid,
            order=order,
            prediction=prediction,
        )

        billing.additional_properties = d
        return billing

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
