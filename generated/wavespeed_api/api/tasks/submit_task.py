# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.error_envelope import ErrorEnvelope
from ...models.prediction_envelope import PredictionEnvelope
from ...models.task_input import TaskInput
from ...types import UNSET, Response, Unset


def _get_kwargs(
    provider: str,
    model: str,
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
        "url": "/api/v3/{provider}/{model}".format(
            provider=quote(str(provider), safe=""),
            model=quote(str(model), safe=""),
        ),
        "params": params,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorEnvelope | PredictionEnvelope:
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

    if response.status_code == 404:
        response_404 = ErrorEnvelope.from_dict(response.json())

        return response_404

    if response.status_code == 413:
        response_413 = ErrorEnvelope.from_dict(response.json())

        return response_413

    if response.status_code == 429:
        response_429 = ErrorEnvelope.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = ErrorEnvelope.from_dict(response.json())

        return response_500

    if response.status_code == 502:
        response_502 = ErrorEnvelope.from_dict(response.json())

        return response_502

    if response.status_code == 503:
        response_503 = ErrorEnvelope.from_dict(response.json())

        return response_503

    if response.status_code == 504:
        response_504 = ErrorEnvelope.from_dict(response.json())

        return response_504

    response_default = ErrorEnvelope.from_dict(response.json())

    return response_default


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
    *,
    client: AuthenticatedClient | Client,
    body: TaskInput,
    webhook: str | Unset = UNSET,
) -> Response[ErrorEnvelope | PredictionEnvelope]:
    """Submit a task to a model with a two-segment id

     Starts one task and is billed when the task succeeds. There is no idempotency key: sending
    the same request twice starts, and bills, two tasks.

    Args:
        provider (str): First segment of the model id. The first words of the API's own paths are
            not providers.
        model (str): Second segment of the model id.
        webhook (str | Unset): URL that is called when the task is finished. This is the form of
            the service's webhook
            guide; its submit page names the body field `webhook_url` instead.
        body (TaskInput): A model's input. The named fields are common to many models; each model
            has more of its
            own, and they go beside these.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorEnvelope | PredictionEnvelope]
    """

    kwargs = _get_kwargs(
        provider=provider,
        model=model,
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
    *,
    client: AuthenticatedClient | Client,
    body: TaskInput,
    webhook: str | Unset = UNSET,
) -> ErrorEnvelope | PredictionEnvelope | None:
    """Submit a task to a model with a two-segment id

     Starts one task and is billed when the task succeeds. There is no idempotency key: sending
    the same request twice starts, and bills, two tasks.

    Args:
        provider (str): First segment of the model id. The first words of the API's own paths are
            not providers.
        model (str): Second segment of the model id.
        webhook (str | Unset): URL that is called when the task is finished. This is the form of
            the service's webhook
            guide; its submit page names the body field `webhook_url` instead.
        body (TaskInput): A model's input. The named fields are common to many models; each model
            has more of its
            own, and they go beside these.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorEnvelope | PredictionEnvelope
    """

    return sync_detailed(
        provider=provider,
        model=model,
        client=client,
        body=body,
        webhook=webhook,
    ).parsed


async def asyncio_detailed(
    provider: str,
    model: str,
    *,
    client: AuthenticatedClient | Client,
    body: TaskInput,
    webhook: str | Unset = UNSET,
) -> Response[ErrorEnvelope | PredictionEnvelope]:
    """Submit a task to a model with a two-segment id

     Starts one task and is billed when the task succeeds. There is no idempotency key: sending
    the same request twice starts, and bills, two tasks.

    Args:
        provider (str): First segment of the model id. The first words of the API's own paths are
            not providers.
        model (str): Second segment of the model id.
        webhook (str | Unset): URL that is called when the task is finished. This is the form of
            the service's webhook
            guide; its submit page names the body field `webhook_url` instead.
        body (TaskInput): A model's input. The named fields are common to many models; each model
            has more of its
            own, and they go beside these.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorEnvelope | PredictionEnvelope]
    """

    kwargs = _get_kwargs(
        provider=provider,
        model=model,
        body=body,
        webhook=webhook,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    provider: str,
    model: str,
    *,
    client: AuthenticatedClient | Client,
    body: TaskInput,
    webhook: str | Unset = UNSET,
) -> ErrorEnvelope | PredictionEnvelope | None:
    """Submit a task to a model with a two-segment id

     Starts one task and is billed when the task succeeds. There is no idempotency key: sending
    the same request twice starts, and bills, two tasks.

    Args:
        provider (str): First segment of the model id. The first words of the API's own paths are
            not providers.
        model (str): Second segment of the model id.
        webhook (str | Unset): URL that is called when the task is finished. This is the form of
            the service's webhook
            guide; its submit page names the body field `webhook_url` instead.
        body (TaskInput): A model's input. The named fields are common to many models; each model
            has more of its
            own, and they go beside these.

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
            client=client,
            body=body,
            webhook=webhook,
        )
    ).parsed
