# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.model_api_schema import ModelApiSchema


T = TypeVar("T", bound="Model")


@_attrs_define
class Model:
    """A model in the catalogue."""

    model_id: str
    """ The model's id, to submit to. """
    name: str
    """ The model's name, mostly its id again. """
    type_: str
    """ What it does, such as text-to-image, image-to-video or text-to-audio. New words come up. """
    base_price: float
    """ Lowest price of a task, in USD. """
    description: str
    """ What it does, in words. """
    api_schema: ModelApiSchema
    """ The form of the model's input, as JSON Schema, in the service's own wrapping. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        model_id = self.model_id

        name = self.name

        type_ = self.type_

        base_price = self.base_price

        description = self.description

        api_schema = self.api_schema.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model_id": model_id,
                "name": name,
                "type": type_,
                "base_price": base_price,
                "description": description,
                "api_schema": api_schema,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_api_schema import ModelApiSchema  # noqa: PLC0415

        d = dict(src_dict)
        model_id = d.pop("model_id")

        name = d.pop("name")

        type_ = d.pop("type")

        base_price = d.pop("base_price")

        description = d.pop("description")

        api_schema = ModelApiSchema.from_dict(d.pop("api_schema"))

        model = cls(
            model_id=model_id,
            name=name,
            type_=type_,
            base_price=base_price,
            description=description,
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
