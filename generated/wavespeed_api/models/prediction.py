# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.task_status import TaskStatus, check_task_status
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.durations import Durations
    from ..models.echoed_input import EchoedInput
    from ..models.structured_output import StructuredOutput
    from ..models.task_addresses import TaskAddresses


T = TypeVar("T", bound="Prediction")


@_attrs_define
class Prediction:
    """A task. Only its id is always there."""

    id: str
    """ The task's id. """
    model: None | str | Unset = UNSET
    """ The model's id. It may be an alias of the requested model. """
    status: None | str | TaskStatus | Unset = UNSET
    """ The task's status. An unknown value means that the task is still running. """
    outputs: list[str | StructuredOutput] | None | Unset = UNSET
    """ The outputs; empty until the task has completed. """
    urls: None | TaskAddresses | Unset = UNSET
    """ URLs to poll this task. """
    has_nsfw_contents: list[bool] | None | Unset = UNSET
    """ Whether each output was classified as unsafe to show. Newer records omit it. """
    created_at: datetime.datetime | None | str | Unset = UNSET
    """ When the task was submitted, in UTC, with up to 9 fractional digits. """
    error: None | str | Unset = UNSET
    """ Why the task failed; empty when it did not. """
    code: int | None | Unset = UNSET
    """ The task's result code; older records have none. Rely on `status` instead: a task with code 5004 and status
    `processing` is still running.

    - 0: all is well
    - 1200: refused by content moderation
    - 1400: a parameter is missing
    - 1401: a parameter is wrong
    - 1402: media could not be fetched
    - 1403: the execution failed
    - 1405: the task failed
    - 1406: all retries are used up
    - 1407: the account lacks credit
    - 5000: internal error
    - 5003: unavailable
    - 5004: timeout
     """
    timings: Durations | None | Unset = UNSET
    """ How long the task took. """
    execution_time: float | None | Unset = UNSET
    """ The same as `timings.inference`, in milliseconds. Older records only. """
    input_: EchoedInput | None | Unset = UNSET
    """ The input as the service read it. Rarely present. """
    inputs: EchoedInput | None | Unset = UNSET
    """ The same as `input`; lists use this name. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.durations import Durations  # noqa: PLC0415
        from ..models.echoed_input import EchoedInput  # noqa: PLC0415
        from ..models.structured_output import StructuredOutput  # noqa: PLC0415
        from ..models.task_addresses import TaskAddresses  # noqa: PLC0415

        id = self.id

        model: None | str | Unset
        if isinstance(self.model, Unset):
            model = UNSET
        else:
            model = self.model

        status: None | str | Unset
        if isinstance(self.status, Unset):
            status = UNSET
        elif isinstance(self.status, str):
            status = self.status
        else:
            status = self.status

        outputs: list[dict[str, Any] | str] | None | Unset
        if isinstance(self.outputs, Unset):
            outputs = UNSET
        elif isinstance(self.outputs, list):
            outputs = []
            for outputs_type_0_item_data in self.outputs:
                outputs_type_0_item: dict[str, Any] | str
                if isinstance(outputs_type_0_item_data, StructuredOutput):
                    outputs_type_0_item = outputs_type_0_item_data.to_dict()
                else:
                    outputs_type_0_item = outputs_type_0_item_data
                outputs.append(outputs_type_0_item)

        else:
            outputs = self.outputs

        urls: dict[str, Any] | None | Unset
        if isinstance(self.urls, Unset):
            urls = UNSET
        elif isinstance(self.urls, TaskAddresses):
            urls = self.urls.to_dict()
        else:
            urls = self.urls

        has_nsfw_contents: list[bool] | None | Unset
        if isinstance(self.has_nsfw_contents, Unset):
            has_nsfw_contents = UNSET
        elif isinstance(self.has_nsfw_contents, list):
            has_nsfw_contents = self.has_nsfw_contents

        else:
            has_nsfw_contents = self.has_nsfw_contents

        created_at: None | str | Unset
        if isinstance(self.created_at, Unset):
            created_at = UNSET
        elif isinstance(self.created_at, datetime.datetime):
            created_at = self.created_at.isoformat()
        else:
            created_at = self.created_at

        error: None | str | Unset
        if isinstance(self.error, Unset):
            error = UNSET
        else:
            error = self.error

        code: int | None | Unset
        if isinstance(self.code, Unset):
            code = UNSET
        else:
            code = self.code

        timings: dict[str, Any] | None | Unset
        if isinstance(self.timings, Unset):
            timings = UNSET
        elif isinstance(self.timings, Durations):
            timings = self.timings.to_dict()
        else:
            timings = self.timings

        execution_time: float | None | Unset
        if isinstance(self.execution_time, Unset):
            execution_time = UNSET
        else:
            execution_time = self.execution_time

        input_: dict[str, Any] | None | Unset
        if isinstance(self.input_, Unset):
            input_ = UNSET
        elif isinstance(self.input_, EchoedInput):
            input_ = self.input_.to_dict()
        else:
            input_ = self.input_

        inputs: dict[str, Any] | None | Unset
        if isinstance(self.inputs, Unset):
            inputs = UNSET
        elif isinstance(self.inputs, EchoedInput):
            inputs = self.inputs.to_dict()
        else:
            inputs = self.inputs

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
            }
        )
        if model is not UNSET:
            field_dict["model"] = model
        if status is not UNSET:
            field_dict["status"] = status
        if outputs is not UNSET:
            field_dict["outputs"] = outputs
        if urls is not UNSET:
            field_dict["urls"] = urls
        if has_nsfw_contents is not UNSET:
            field_dict["has_nsfw_contents"] = has_nsfw_contents
        if created_at is not UNSET:
            field_dict["created_at"] = created_at
        if error is not UNSET:
            field_dict["error"] = error
        if code is not UNSET:
            field_dict["code"] = code
        if timings is not UNSET:
            field_dict["timings"] = timings
        if execution_time is not UNSET:
            field_dict["executionTime"] = execution_time
        if input_ is not UNSET:
            field_dict["input"] = input_
        if inputs is not UNSET:
            field_dict["inputs"] = inputs

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.durations import Durations  # noqa: PLC0415
        from ..models.echoed_input import EchoedInput  # noqa: PLC0415
        from ..models.structured_output import StructuredOutput  # noqa: PLC0415
        from ..models.task_addresses import TaskAddresses  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        def _parse_model(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        model = _parse_model(d.pop("model", UNSET))

        def _parse_status(data: object) -> None | str | TaskStatus | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                status_type_0 = check_task_status(data)

                return status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | str | TaskStatus | Unset, data)

        status = _parse_status(d.pop("status", UNSET))

        def _parse_outputs(data: object) -> list[str | StructuredOutput] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                outputs_type_0 = []
                _outputs_type_0 = data
                for outputs_type_0_item_data in _outputs_type_0:

                    def _parse_outputs_type_0_item(data: object) -> str | StructuredOutput:
                        try:
                            if not isinstance(data, dict):
                                raise TypeError()
                            outputs_type_0_item_type_0 = StructuredOutput.from_dict(data)

                            return outputs_type_0_item_type_0
                        except (TypeError, ValueError, AttributeError, KeyError):
                            pass
                        return cast(str | StructuredOutput, data)

                    outputs_type_0_item = _parse_outputs_type_0_item(outputs_type_0_item_data)

                    outputs_type_0.append(outputs_type_0_item)

                return outputs_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str | StructuredOutput] | None | Unset, data)

        outputs = _parse_outputs(d.pop("outputs", UNSET))

        def _parse_urls(data: object) -> None | TaskAddresses | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                urls_type_0 = TaskAddresses.from_dict(data)

                return urls_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | TaskAddresses | Unset, data)

        urls = _parse_urls(d.pop("urls", UNSET))

        def _parse_has_nsfw_contents(data: object) -> list[bool] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                has_nsfw_contents_type_0 = cast(list[bool], data)

                return has_nsfw_contents_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[bool] | None | Unset, data)

        has_nsfw_contents = _parse_has_nsfw_contents(d.pop("has_nsfw_contents", UNSET))

        def _parse_created_at(data: object) -> datetime.datetime | None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                created_at_type_0 = datetime.datetime.fromisoformat(data)

                return created_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | str | Unset, data)

        created_at = _parse_created_at(d.pop("created_at", UNSET))

        def _parse_error(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        error = _parse_error(d.pop("error", UNSET))

        def _parse_code(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        code = _parse_code(d.pop("code", UNSET))

        def _parse_timings(data: object) -> Durations | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                timings_type_0 = Durations.from_dict(data)

                return timings_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Durations | None | Unset, data)

        timings = _parse_timings(d.pop("timings", UNSET))

        def _parse_execution_time(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        execution_time = _parse_execution_time(d.pop("executionTime", UNSET))

        def _parse_input_(data: object) -> EchoedInput | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                input_type_0 = EchoedInput.from_dict(data)

                return input_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(EchoedInput | None | Unset, data)

        input_ = _parse_input_(d.pop("input", UNSET))

        def _parse_inputs(data: object) -> EchoedInput | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                inputs_type_0 = EchoedInput.from_dict(data)

                return inputs_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(EchoedInput | None | Unset, data)

        inputs = _parse_inputs(d.pop("inputs", UNSET))

        prediction = cls(
            id=id,
            model=model,
            status=status,
            outputs=outputs,
            urls=urls,
            has_nsfw_contents=has_nsfw_contents,
            created_at=created_at,
            error=error,
            code=code,
            timings=timings,
            execution_time=execution_time,
            input_=input_,
            inputs=inputs,
        )

        prediction.additional_properties = d
        return prediction

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
