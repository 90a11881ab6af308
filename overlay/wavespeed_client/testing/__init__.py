"""Test your own program against a stand-in for the service: the extra `wavespeed-client[testing]`."""

from .contract import Answer, Contract, ContractError, Request
from .fake import FakeWaveSpeed, Submission

__all__ = ("Answer", "Contract", "ContractError", "FakeWaveSpeed", "Request", "Submission")
