"""How fast a batch may submit: the limit for each minute, and what a refusal does to the pace."""

import math
import random

import pytest

from wavespeed_client.batch.throttle import LONGEST_PAUSE, Throttle

pytestmark = pytest.mark.promise("limits")

MANY = 1_000_000


def quiet(most: int) -> Throttle:
    return Throttle(most, random_number=lambda: 0.0)


def send(throttle: Throttle, count: int = 1) -> None:
    for _ in range(count):
        throttle.sent()


def take(throttle: Throttle, now: float = 0.0) -> None:
    """Let a submission be accepted, and its task run."""
    throttle.settled(now)
    throttle.accepted()


def refuse(throttle: Throttle, now: float, retry_after: float | None = None) -> None:
    throttle.settled(now)
    throttle.refused(now, retry_after)
    throttle.ended()


def end(throttle: Throttle, count: int = 1) -> None:
    for _ in range(count):
        throttle.ended()


def run(throttle: Throttle, count: int) -> None:
    """Resume this many tasks of an earlier run."""
    for _ in range(count):
        throttle.resumed()


def test_without_a_limit_there_is_no_wait() -> None:
    throttle = Throttle(MANY)
    for _ in range(1000):
        assert throttle.wait(0.0) == 0
        send(throttle)
        take(throttle)
    assert (throttle.in_flight, throttle.pending) == (1000, 0)


def test_a_minute_begins_with_the_response() -> None:
    throttle = Throttle(MANY, 2)
    send(throttle, 2)
    assert throttle.wait(500.0) == math.inf  # it is not known yet when these will be counted
    take(throttle, 510.0)
    take(throttle, 520.0)
    assert throttle.wait(530.0) == 40
    assert throttle.wait(570.0) == 0
    assert throttle.wait(570.0, before=1) == 10
    send(throttle)
    assert throttle.wait(570.0) == 10
    throttle.not_sent()
    assert throttle.wait(570.0) == 0


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_no_window_of_a_minute_holds_more_than_the_limit_wherever_the_service_counts(limit: int) -> None:
    """The service counts at some moment between the request's departure and its response."""
    dice, now, throttle = random.Random(limit), 0.0, Throttle(MANY, limit)
    counted: list[float] = []
    responses: list[float] = []
    for _ in range(limit * 20):
        while wait := throttle.wait(now):
            now = min([now + wait, *responses])
            for response in sorted(time for time in responses if time <= now):
                responses.remove(response)
                take(throttle, response)
        send(throttle)
        response = now + dice.random() * 90
        counted.append(dice.uniform(now, response))
        responses.append(response)
    counted.sort()
    assert all(later - earlier > 60 - 1e-6 for earlier, later in zip(counted, counted[limit:], strict=False))


def test_without_a_refusal_there_is_no_pause_and_all_the_room() -> None:
    throttle = quiet(10)
    send(throttle, 9)
    assert throttle.wait(0.0) == 0
    assert throttle.wait(0.0, before=1) == math.inf
    send(throttle)
    assert throttle.wait(0.0) == math.inf


def test_after_a_refusal_all_stop_and_a_single_submission_is_tried() -> None:
    throttle = quiet(8)
    send(throttle, 8)
    refuse(throttle, 100.0)
    assert throttle.wait(101.0) == math.inf  # others of the same burst have no response yet
    refuse(throttle, 101.0)  # one of them; this changes nothing
    for _ in range(6):
        take(throttle, 101.0)  # the others
    end(throttle, 3)
    assert throttle.wait(100.0) == 1
    assert throttle.wait(101.0) == 0
    assert throttle.wait(101.0, before=1) == math.inf
    send(throttle)
    assert throttle.wait(101.0) == math.inf
    take(throttle, 101.0)
    assert throttle.wait(101.0) == 0
    run(throttle, 2)
    assert throttle.wait(101.0) == math.inf  # 8 less a quarter


def test_pauses_double_while_the_trial_submission_is_refused_and_reset_when_it_is_accepted() -> None:
    throttle, now = quiet(8), 0.0
    pauses: list[float] = []
    for _ in range(9):
        send(throttle)
        refuse(throttle, now)
        pauses.append(throttle.wait(now))
        now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    send(throttle)
    take(throttle, now)
    end(throttle)
    send(throttle)
    refuse(throttle, now)
    assert throttle.wait(now) == 1


@pytest.mark.parametrize(("wanted", "obeyed"), [(0.2, 1.0), (7.0, 7.0), (86400.0, LONGEST_PAUSE)])
def test_retry_after_is_obeyed_up_to_a_minute(wanted: float, obeyed: float) -> None:
    throttle = quiet(8)
    send(throttle)
    refuse(throttle, 0.0, retry_after=wanted)
    assert throttle.wait(0.0) == obeyed


def test_the_jitter_never_shortens_a_pause() -> None:
    for number in (0.0, 0.5, 1.0):
        throttle = Throttle(8, random_number=lambda number=number: number)
        send(throttle)
        refuse(throttle, 0.0, retry_after=10.0)
        assert throttle.wait(0.0) == pytest.approx(10 * (1 + 0.2 * number))


def test_room_shrinks_to_no_less_than_one_and_grows_back_to_the_whole() -> None:
    throttle = quiet(20)
    for _ in range(50):
        send(throttle)
        refuse(throttle, 0.0)
        send(throttle)
        take(throttle)
        end(throttle)
    assert throttle.wait(1e9) == 0
    assert throttle.wait(1e9, before=1) == math.inf
    for _ in range(200):
        send(throttle)
        take(throttle)
        end(throttle)
    assert throttle.wait(1e9, before=19) == 0
    assert throttle.wait(1e9, before=20) == math.inf


def test_a_refused_poll_slows_submissions_down_too() -> None:
    throttle = quiet(8)
    run(throttle, 8)
    throttle.hindered(0.0, retry_after=5.0)
    end(throttle, 8)
    assert throttle.wait(0.0) == 5
    run(throttle, 6)
    assert throttle.wait(5.0) == math.inf
    end(throttle, 6)
    send(throttle)
    throttle.hindered(5.0)  # the one that is tried has no response yet
    take(throttle, 5.0)
    assert throttle.wait(5.0) == 0


@pytest.mark.parametrize("limit", [3, 40])
def test_a_limit_on_tasks_at_once_is_found_and_used(limit: int) -> None:
    """In this simulation our limit is higher than the service's, and each task runs for ten seconds."""
    throttle, now, dice = Throttle(100, random_number=random.Random(1).random), 0.0, random.Random(2)
    ends: list[float] = []
    refused = taken = busy = 0
    while now < 1000:
        end(throttle, sum(end <= now for end in ends))
        ends = [end for end in ends if end > now]
        wait = throttle.wait(now)
        if wait:
            step = max(1e-3, min([now + wait, *ends]) - now)
            busy += step * len(ends)
            now += step
            continue
        send(throttle)
        if len(ends) >= limit:
            refused += 1
            refuse(throttle, now)
        else:
            taken += 1
            take(throttle, now)
            ends.append(now + dice.uniform(8, 12))
    assert busy / 1000 > 0.7 * limit
    assert refused < 0.1 * taken
