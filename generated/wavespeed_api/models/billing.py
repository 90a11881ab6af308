# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.billing_order import BillingOrder
    from ..models.billing_prediction import BillingPrediction


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
    created_at: str
    """ When it was made, in UTC. """
    updated_at: None | str
    """ When it was last changed, in UTC. """
    access_key_id: int | None | str
    """ Number of the API key. """
    access_key_name: None | str
    """ Name of the API key. """
    order: BillingOrder | None
    """ The order behind it. """
    prediction: BillingPrediction | None
    """ The task behind it. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.billing_order import BillingOrder  # noqa: PLC0415
        from ..models.billing_prediction import BillingPrediction  # noqa: PLC0415

        uuid = self.uuid

        billing_type = self.billing_type

        price = self.price

        created_at = self.created_at

        updated_at: None | str
        updated_at = self.updated_at

        access_key_id: int | None | str
        access_key_id = self.access_key_id

        access_key_name: None | str
        access_key_name = self.access_key_name

        order: dict[str, Any] | None
        if isinstance(self.order, BillingOrder):
            order = self.order.to_dict()
        else:
            order = self.order

        prediction: dict[str, Any] | None
        if isinstance(self.prediction, BillingPrediction):
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
                "created_at": created_at,
                "updated_at": updated_at,
                "access_key_id": access_key_id,
                "access_key_name": access_key_name,
                "order": order,
                "prediction": prediction,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.billing_order import BillingOrder  # noqa: PLC0415
        from ..models.billing_prediction import BillingPrediction  # noqa: PLC0415

        d = dict(src_dict)
        uuid = d.pop("uuid")

        billing_type = d.pop("billing_type")

        price = d.pop("price")

        created_at = d.pop("created_at")

        def _parse_updated_at(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        updated_at = _parse_updated_at(d.pop("updated_at"))

        def _parse_access_key_id(data: object) -> int | None | str:
            if data is None:
                return data
            return cast(int | None | str, data)

        access_key_id = _parse_access_key_id(d.pop("access_key_id"))

        def _parse_access_key_name(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        access_key_name = _parse_access_key_name(d.pop("access_key_name"))

        def _parse_order(data: object) -> BillingOrder | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                order_type_0 = BillingOrder.from_dict(data)

                return order_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(BillingOrder | None, data)

        order = _parse_order(d.pop("order"))

        def _parse_prediction(data: object) -> BillingPrediction | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                prediction_type_0 = BillingPrediction.from_dict(data)

                return prediction_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(BillingPrediction | None, data)

        prediction = _parse_prediction(d.pop("prediction"))

        billing = cls(
            uuid=uuid,
            billing_type=billing_type,
            price=price,
            created_at=created_at,
            updated_at=updated_at,
            access_key_id=access_key_id,
            access_key_name=access_key_name,
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
