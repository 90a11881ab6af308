"""Shell: the base of both clients. It holds what they share, shows no key, and cannot be copied."""

from __future__ import annotations

import inspect
from contextlib import ContextDecorator
from functools import partial, wraps
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, NoReturn

from .arguments import checked_webhook, input_fields, model_id
from .catalogue.catalogue import Catalogue
from .clock import Clock
from .errors import ConfigurationError, InvalidInputError
from .files.inputs import files_in
from .waiting.durations import Durations
from .waiting.wait import Wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from .arguments import Input
    from .batch.options import Options
    from .batch.state import Batch
    from .fields import Place
    from .files.kinds import FileInput
    from .settings import Settings

# Packages whose frames do not help a caller: the message says what is refused, and why.
OURS = ("wavespeed_client", "wavespeed_api", "contextlib")


class ShortRefusals(ContextDecorator):
    """Shorten the traceback of a wrong argument: it ends with the caller's own line.

    The traceback stays whole if other code than ours is in it, such as an `on_update`.
    """

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (InvalidInputError, ConfigurationError)):
            modules = {frame.f_globals.get("__name__", "").partition(".")[0] for frame, _ in walk_tb(trace)}
            error.__traceback__ = error.__traceback__ if modules.difference(OURS) else None


short = ShortRefusals()


def short_async(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a coroutine function that shortens the tracebacks of wrong arguments."""

    @wraps(method)
    async def call(*args: Any, **kwargs: Any) -> Any:
        with short:
            return await method(*args, **kwargs)

    return call


class Shell:
    """The base of the two clients. If an argument of a public method is wrong, the traceback is short.

    Args:
        settings: The client's settings.
        http: The client that sends the requests.
    """

    _clock = Clock()

    def __init_subclass__(cls) -> None:
        for name, method in list(vars(cls).items()):
            if inspect.isfunction(method) and (name == "__init__" or not name.startswith("_")):
                setattr(cls, name, short_async(method) if inspect.iscoroutinefunction(method) else short(method))

    def __init__(self, settings: Settings, http: Any) -> None:
        from .calls import Calls  # loads the network modules, which `from wavespeed_client import WaveSpeed` does not

        self.settings, self._http = settings, http
        self._calls = Calls(settings.base_url, http)
        self._durations, self._catalogue = Durations(), Catalogue()

    def _check_open(self) -> None:
        if self._http.is_closed:
            raise ConfigurationError("This client is closed: build a new one.")

    def _fields_and_files(
        self, model: str, input: Input, webhook: str | None
    ) -> tuple[dict[str, Any], dict[Place, FileInput]]:
        """Return an input's fields, and the files in it. Check the other arguments before files are uploaded."""
        fields = input_fields(input)
        files = files_in(fields)
        if files:
            model_id(model)
            checked_webhook(webhook)
            self._check_open()
        return fields, files

    def _batch(self, options: Options) -> Batch:
        from .batch.state import Batch

        self._check_open()
        return Batch(options, self._clock, partial(Wait, durations=self._durations))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self, 'settings', 'not built')})"

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError("A client cannot be pickled or copied: build one in each process.")
