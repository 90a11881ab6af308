# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error_envelope import ErrorEnvelope
from ...models.prediction_envelope import PredictionEnvelope
from ...models.task_input import TaskInput
from ...types import UNSET, Response, Unset


def _get_kwargs(
    provider: str,
    model: str,
    variant: str,
    *,
    body: TaskInput,
    webhook: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    params: dict[str, Any] = {}

    params["webhook"] = webhook

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/v3/{provider}/{model}/{variant}".format(
            provider=quote(str(provider), safe=""),
            model=quote(str(model), safe=""),
            variant=quote(str(variant), safe=""),
        ),
        "params": params,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorEnvelope | PredictionEnvelope | None:
    if response.status_code == 200:
        response_200 = PredictionEnvelope.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = ErrorEnvelope.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = ErrorEnvelope.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = ErrorEnvelope.from_dict(response.json())

        return response_403

    if response.status_code == 429:
        response_429 = ErrorEnvelope.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = ErrorEnvelope.from_dict(response.json())

        return response_500

    if 400 <= response.status_code <= 499:
        response_4xx = ErrorEnvelope.from_dict(response.json())

        return response_4xx

    if 500 <= response.status_code <= 599:
        response_5xx = ErrorEnvelope.from_dict(response.json())

        return response_5xx

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorEnvelope | PredictionEnvelope]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    provider: str,
    model: str,
    variant: str,
    *,
    client: AuthenticatedClient | Client,
    body: TaskInput,
    webhook: str | Unset = UNSET,
) -> Response[ErrorEnvelope | PredictionEnvelope]:
    """Submit a task to a model whose id has three segments

     The same as `submit_task`, for ids such as `wavespeed-ai/z-image/turbo`.

    Args:
        provider (str):
        model (str):
        variant (str):
        webhook (str | Unset):
        body (TaskInput): A model's input. The fields listed here are common to many models; each
            model has other fields, too.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorEnvelope | PredictionEnvelope]
    """

    kwargs = _get_kwargs(
        provider=provider,
        model=model,
        variant=variant,
        body=body,
        webhook=webhook,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    provider: str,
    model: str,
    variant: str,
    *,
    client: AuthenticatedClient | Client,
    body: TaskInput,
    webhook: str | Unset = UNSET,
) -> ErrorEnvelope | PredictionEnvelope | None:
    """Submit a task to a model whose id has three segments

     The same as `submit_task`, for ids such as `wavespeed-ai/z-image/turbo`.

    Args:
        provider (str):
        model (str):
        variant (str):
        webhook (str | Unset):
        body (TaskInput): A model's input. The fields listed here are common to many models; each
            model has other fields, too.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorEnvelope | PredictionEnvelope
    """

    return sync_detailed(
        provider=provider,
        model=model,
        variant=variant,
        client=client,
        body=body,
        webhook=webhook,
    ).parsed


async def asyncio_detailed(
    provider: str,
    model: str,
    variant: str,
    *,
    client: AuthenticatedClient | Client,
    body: TaskInput,
    webhook: str | Unset = UNSET,
) -> Response[ErrorEnvelope | PredictionEnvelope]:
    """Submit a task to a model whose id has three segments

     The same as `submit_task`, for ids such as `wavespeed-ai/z-image/turbo`.

    Args:
        provider (str):
        model (str):
        variant (str):
        webhook (str | Unset):
        body (TaskInput): A model's input. The fields listed here are common to many models; each
            model has other fields, too.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorEnvelope | PredictionEnvelope]
    """

    kwargs = _get_kwargs(
        provider=provider,
        model=model,
        variant=variant,
        body=body,
        webhook=webhook,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    provider: str,
    model: str,
    variant: str,
    *,
    client: AuthenticatedClient | Client,
    body: TaskInput,
    webhook: str | Unset = UNSET,
) -> ErrorEnvelope | PredictionEnvelope | None:
    """Submit a task to a model whose id has three segments

     The same as `submit_task`, for ids such as `wavespeed-ai/z-image/turbo`.

    Args:
        provider (str):
        model (str):
        variant (str):
        webhook (str | Unset):
        body (TaskInput): A model's input. The fields listed here are common to many models; each
            model has other fields, too.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorEnvelope | PredictionEnvelope
    """

    return (
        await asyncio_detailed(
            provider=provider,
            model=model,
            variant=variant,
            client=client,
            body=body,
            webhook=webhook,
        )
    ).parsed
