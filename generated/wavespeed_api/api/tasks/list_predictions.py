# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error_envelope import ErrorEnvelope
from ...models.prediction_page_envelope import PredictionPageEnvelope
from ...models.prediction_query import PredictionQuery
from ...types import Response


def _get_kwargs(
    *,
    body: PredictionQuery,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/v3/predictions",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorEnvelope | PredictionPageEnvelope | None:
    if response.status_code == 200:
        response_200 = PredictionPageEnvelope.from_dict(response.json())

        return response_200

    if response.status_code == 401:
        response_401 = ErrorEnvelope.from_dict(response.json())

        return response_401

    if response.status_code == 429:
        response_429 = ErrorEnvelope.from_dict(response.json())

        return response_429

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
) -> Response[ErrorEnvelope | PredictionPageEnvelope]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: PredictionQuery,
) -> Response[ErrorEnvelope | PredictionPageEnvelope]:
    """List the tasks of the last 7 days

     Returns one page of tasks, newest first. It includes all tasks of the organization, also those
    submitted on the
    website. The last page has fewer items than `page_size`. Free of charge.

    Args:
        body (PredictionQuery): Filters of a list of tasks. All must match.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorEnvelope | PredictionPageEnvelope]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: PredictionQuery,
) -> ErrorEnvelope | PredictionPageEnvelope | None:
    """List the tasks of the last 7 days

     Returns one page of tasks, newest first. It includes all tasks of the organization, also those
    submitted on the
    website. The last page has fewer items than `page_size`. Free of charge.

    Args:
        body (PredictionQuery): Filters of a list of tasks. All must match.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorEnvelope | PredictionPageEnvelope
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: PredictionQuery,
) -> Response[ErrorEnvelope | PredictionPageEnvelope]:
    """List the tasks of the last 7 days

     Returns one page of tasks, newest first. It includes all tasks of the organization, also those
    submitted on the
    website. The last page has fewer items than `page_size`. Free of charge.

    Args:
        body (PredictionQuery): Filters of a list of tasks. All must match.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorEnvelope | PredictionPageEnvelope]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: PredictionQuery,
) -> ErrorEnvelope | PredictionPageEnvelope | None:
    """List the tasks of the last 7 days

     Returns one page of tasks, newest first. It includes all tasks of the organization, also those
    submitted on the
    website. The last page has fewer items than `page_size`. Free of charge.

    Args:
        body (PredictionQuery): Filters of a list of tasks. All must match.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorEnvelope | PredictionPageEnvelope
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
