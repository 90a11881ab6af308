"""Parse the address of a database, and keep its password out of everything that is shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn

import psycopg
from attrs import field, frozen
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ...errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMS = "postgresql://user@host/database, env:NAME (the variable holds such a URL), or service=name"
# With these, a dead connection is noticed within a minute. The parameters of a URL take precedence.
DEFAULTS = {
    "fallback_application_name": "wavespeed-client",
    "client_encoding": "UTF8",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}

# Raised by uses of a database. Its traceback contains the password.
NO_CONNECTION = psycopg.Error


@frozen
class Address:
    """The address of a database.

    Attributes:
        shown: The address without secrets, for messages.
    """

    shown: str
    _conninfo: str = field(repr=False)

    @classmethod
    def read(cls, given: str) -> Address:
        """Parse a URL, `env:NAME` or `service=name`.

        Raises:
            ConfigurationError: It is none of these, or the variable is not set. The message does not show its value.
        """
        found = cls._found(given)
        if isinstance(found, str):  # raised here, where no frame holds the variable
            raise ConfigurationError(found)
        return found

    @classmethod
    def _found(cls, given: str) -> Address | str:
        """Return the address, or the reason why this is not one."""
        variable = given.removeprefix("env:") if given.startswith("env:") else None
        text = (given if variable is None else os.environ.get(variable, "")).strip()
        named = f"The environment variable {variable}" if variable else "The journal"
        if variable and not text:
            return f"{named} is not set: it must hold the URL of a database."
        parsed = _parsed(text)
        if parsed is None:
            return (
                f"{named} is not the address of a database. Forms: {FORMS}. In a URL, percent-encode the characters "
                "@ / : ? # of user and password."
            )
        shown = f"service={parsed['service']}" if "service" in parsed else _place(parsed)
        return cls(given if variable is not None else shown, make_conninfo(text, **{**DEFAULTS, **parsed}))

    @property
    def has_password(self) -> bool:
        """Whether the address itself holds a password or another secret."""
        return any(name.endswith(("password", "secret")) for name in conninfo_to_dict(self._conninfo))

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect. Statements are not prepared on the server, where connections may be pooled.

        Raises:
            psycopg.Error: The database cannot be reached. The traceback contains the password.
        """
        return psycopg.connect(self._conninfo, autocommit=True, prepare_threshold=None)

    def hide(self, text: str) -> str:
        """Return a text without the password."""
        password = str(conninfo_to_dict(self._conninfo).get("password") or "")
        return text.replace(password, "...") if password else text

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError("The address of a database may hold a password, so it is not pickled: pass env:NAME.")


def _parsed(text: str) -> dict[str, Any] | None:
    """Return the parts of an address; None if it is invalid, or if part of the password may be taken for another."""
    scheme, separator, rest = text.partition("://")
    if separator:
        _, _, place = rest.partition("@") if "@" in rest.partition("/")[0] else ("", "", rest)
        if scheme not in ("postgresql", "postgres") or "@" in place.partition("?")[0]:
            return None
    elif not text.startswith("service="):
        return None
    try:
        return conninfo_to_dict(text)
    except psycopg.Error:
        return None


def _place(parsed: Mapping[str, Any]) -> str:
    host, name = parsed.get("host", ""), parsed.get("dbname", "")
    port = f":{parsed['port']}" if "port" in parsed else ""
    return f"postgresql://{host}{port}/{name}"
