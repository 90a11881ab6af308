"""Test your own program against a stand-in for the service: the extra `wavespeed-client[testing]`."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .contract import Answer, Contract, ContractError, Request
    from .deliveries import Delivery
    from .desk import Submission
    from .fake import FakeWaveSpeed
    from .transport import ContractTransport

__all__ = (
    "Answer",
    "Contract",
    "ContractError",
    "ContractTransport",
    "Delivery",
    "FakeWaveSpeed",
    "Request",
    "Submission",
)

_HOME = {
    "ContractTransport": ".transport",
    "Delivery": ".deliveries",
    "FakeWaveSpeed": ".fake",
    "Submission": ".desk",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        home = import_module(_HOME.get(name, ".contract"), __name__)
    except ModuleNotFoundError as error:
        raise ImportError(f"{error.name} is missing: install wavespeed-client[testing]", name=error.name) from error
    value: object = getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted((*globals(), *__all__))
