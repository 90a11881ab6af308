"""Typed inputs: `python -m wavespeed_client.typed FILE MODEL` generates a module, and `ws.use(TOKEN)` uses it.

A generated module loads only `token`; the client loads the classes behind `use`.
"""

from importlib import import_module

from .token import ListOf as ListOf
from .token import ModelOf as ModelOf

TYPE_CHECKING = False  # as in the package above

if TYPE_CHECKING:
    from .model import AsyncTypedModel, TypedModel

__all__ = ("AsyncTypedModel", "ListOf", "ModelOf", "TypedModel")


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(".model", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted((*globals(), *__all__))
