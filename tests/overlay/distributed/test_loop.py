"""Work that is carried out in its own event loop, wherever it is called."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest

from wavespeed_client.distributed.loop import carried_out


async def number_of_thread() -> int:
    return threading.get_ident()


async def fails() -> None:
    raise LookupError("of its own")


def test_without_a_running_loop_the_work_is_done_in_this_thread() -> None:
    assert carried_out(number_of_thread()) == threading.get_ident()


def test_within_a_running_loop_the_work_is_done_in_another_thread() -> None:
    async def cell() -> int:
        return carried_out(number_of_thread())

    assert asyncio.run(cell()) != threading.get_ident()
    assert not [thread for thread in threading.enumerate() if "wavespeed-loop" in thread.name]


def test_the_event_loop_of_the_thread_stays_as_it_was() -> None:
    async def cell() -> int:
        return carried_out(number_of_thread())

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(cell())
        assert asyncio.get_event_loop() is loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_an_error_of_the_work_is_raised_to_the_caller() -> None:
    async def cell() -> None:
        carried_out(fails())

    with pytest.raises(LookupError, match="of its own"):
        asyncio.run(cell())
    with pytest.raises(LookupError, match="of its own"):
        carried_out(fails())


def test_ctrl_c_in_a_cell_of_a_notebook_cancels_the_work_and_waits_for_its_end() -> None:
    ended: list[str] = []

    async def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def cell() -> None:
        carried_out(work())

    loop = asyncio.new_event_loop()  # it leaves Ctrl-C to Python, as a notebook's loop does
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(cell())
    finally:
        loop.close()
    assert ended == ["cancelled"]
