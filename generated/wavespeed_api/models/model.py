# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.call_form import CallForm


T = TypeVar("T", bound="Model")


@_attrs_define
class Model:
    """A model in the catalogue. Only its id is always there."""

    model_id: str
    """ The model's id, to submit to. """
    name: None | str | Unset = UNSET
    """ The model's name, usually its id. """
    type_: None | str | Unset = UNSET
    """ The kind of model, such as text-to-image, image-to-video or text-to-audio. New kinds appear. """
    base_price: float | None | Unset = UNSET
    """ Lowest price of a task, in USD. """
    description: None | str | Unset = UNSET
    """ What it does, in words. """
    sort_order: float | None | Unset = UNSET
    """ Its place in the website's list. """
    api_schema: CallForm | None | Unset = UNSET
    """ How to call it. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.call_form import CallForm  # noqa: PLC0415

        model_id = self.model_id

        name: None | str | Unset
        if isinstance(self.name, Unset):
            name = UNSET
        else:
            name = self.name

        type_: None | str | Unset
        if isinstance(self.type_, Unset):
            type_ = UNSET
        else:
            type_ = self.type_

        base_price: float | None | Unset
        if isinstance(self.base_price, Unset):
            base_price = UNSET
        else:
            base_price = self.base_price

        description: None | str | Unset
        if isinstance(self.description, Unset):
            description = UNSET
        else:
            description = self.description

        sort_order: float | None | Unset
        if isinstance(self.sort_order, Unset):
            sort_order = UNSET
        else:
            sort_order = self.sort_order

        api_schema: dict[str, Any] | None | Unset
        if isinstance(self.api_schema, Unset):
            api_schema = UNSET
        elif isinstance(self.api_schema, CallForm):
            api_schema = self.api_schema.to_dict()
        else:
            api_schema = self.api_schema

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model_id": model_id,
            }
        )
        if name is not UNSET:
            field_dict["name"] = name
        if type_ is not UNSET:
            field_dict["type"] = type_
        if base_price is not UNSET:
            field_dict["base_price"] = base_price
        if description is not UNSET:
            field_dict["description"] = description
        if sort_order is not UNSET:
            field_dict["sort_order"] = sort_order
        if api_schema is not UNSET:
            field_dict["api_schema"] = api_schema

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.call_form import CallForm  # noqa: PLC0415

        d = dict(src_dict)
        model_id = d.pop("model_id")

        def _parse_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        name = _parse_name(d.pop("name", UNSET))

        def _parse_type_(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        type_ = _parse_type_(d.pop("type", UNSET))

        def _parse_base_price(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        base_price = _parse_base_price(d.pop("base_price", UNSET))

        def _parse_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        description = _parse_description(d.pop("description", UNSET))

        def _parse_sort_order(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        sort_order = _parse_sort_order(d.pop("sort_order", UNSET))

        def _parse_api_schema(data: object) -> CallForm | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                api_schema_type_0 = CallForm.from_dict(data)

                return api_schema_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CallForm | None | Unset, data)

        api_schema = _parse_api_schema(d.pop("api_schema", UNSET))

        model = cls(
            model_id=model_id,
            name=name,
            type_=type_,
            base_price=base_price,
            description=description,
            sort_order=sort_order,
            api_schema=api_schema,
        )

        model.additional_properties = d
        return model

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
