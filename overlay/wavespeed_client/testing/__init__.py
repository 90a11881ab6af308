"""Test your program against a local stand-in for the service. Needs the extra `wavespeed-client[testing]`."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .application import Submission
    from .contract import Contract
    from .deliveries import Delivery
    from .errors import ContractError
    from .fake import FakeWaveSpeed
    from .transport import ContractTransport
    from .wire import Request, Response

__all__ = (
    "Response",
    "Contract",
    "ContractError",
    "ContractTransport",
    "Delivery",
    "FakeWaveSpeed",
    "Request",
    "Submission",
)

_HOME = {
    "Response": ".wire",
    "ContractTransport": ".transport",
    "Delivery": ".deliveries",
    "FakeWaveSpeed": ".fake",
    "Request": ".wire",
    "Submission": ".application",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        home = import_module(_HOME.get(name, ".contract"), __name__)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing.startswith("wavespeed"):
            raise
        raise ImportError(f"{missing} is missing: install wavespeed-client[testing]", name=missing) from error
    value: object = getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted((*globals(), *__all__))
