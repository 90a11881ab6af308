# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.

"""A client library for accessing WaveSpeedAI generation API"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)
