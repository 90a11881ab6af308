"""A stand-in for the database behind a writer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from attrs import define, field

from wavespeed_client import ConfigurationError

LONG = 60.0


@define
class Database:
    """A stand-in for a database. It responds to each request unless a test sets up trouble."""

    groups: list[list[Any]] = field(factory=list)
    tries: list[bool] = field(factory=list)
    trouble: list[Exception] = field(factory=list)
    unreachable: list[Exception] = field(factory=list)
    lost: list[Any] = field(factory=list)
    connections: int = 0
    closed: int = 0
    takes: Callable[[], object] = object
    busy: threading.Event = field(factory=threading.Event)
    free: threading.Event = field(factory=threading.Event)
    _far: list[socket.socket] = field(factory=list)
    _near: list[socket.socket] = field(factory=list)

    def connect(self) -> Any:
        if self.unreachable:
            raise self.unreachable.pop(0)
        self.connections += 1
        near, far = socket.socketpair()
        self._near.append(near)
        self._far.append(far)
        return self

    def fileno(self) -> int:
        return self._near[-1].fileno()

    def close(self) -> None:
        self.closed += 1

    def carry_out(self, connection: Any, requests: Sequence[Any], again: bool) -> Sequence[object]:
        self.groups.append(list(requests))
        self.tries.append(again)
        if "block" in requests:
            self.busy.set()
            self.free.wait()
        if "hang" in requests:
            self.busy.set()
            if not self._near[-1].recv(1):  # as psycopg sees a connection that was shut down
                raise psycopg.OperationalError("the connection is lost")
        self.takes()
        if self.trouble:
            raise self.trouble.pop(0)
        return [f"done {request}" for request in requests]

    def shown(self, text: str) -> str:
        return text.replace("secret", "...")

    def failure(self, why: str) -> ConfigurationError:
        return ConfigurationError(why)

    def unwritten(self, requests: Sequence[Any]) -> None:
        self.lost += requests

    def end(self) -> None:
        self.free.set()
        for stream in (*self._near, *self._far):
            stream.close()
