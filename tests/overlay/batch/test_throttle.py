"""How fast a batch may submit: the limit for each minute, and what a refusal does to the pace."""

import math
import random

import pytest

from wavespeed_client.batch.throttle import LONGEST_PAUSE, Pace, Rate

pytestmark = pytest.mark.promise("limits")


def test_without_a_limit_there_is_no_wait() -> None:
    rate = Rate(None)
    for _ in range(1000):
        assert rate.wait(0.0) == 0
        rate.sent()
        rate.answered(0.0)


def test_a_minute_begins_with_the_answer() -> None:
    rate = Rate(2)
    rate.sent()
    rate.sent()
    assert rate.wait(500.0) == math.inf  # nobody knows yet when these will be counted
    rate.answered(510.0)
    rate.answered(520.0)
    assert rate.wait(530.0) == 40
    assert rate.wait(570.0) == 0
    rate.sent()
    assert rate.wait(570.0) == 10
    rate.not_sent()
    assert rate.wait(570.0) == 0


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_no_window_of_a_minute_holds_more_than_the_limit_wherever_the_service_counts(limit: int) -> None:
    """The service counts at some moment between the request's departure and its answer."""
    dice, now, rate = random.Random(limit), 0.0, Rate(limit)
    counted: list[float] = []
    answers: list[float] = []
    for _ in range(limit * 20):
        while wait := rate.wait(now):
            now = min([now + wait, *answers])
            for answer in sorted(time for time in answers if time <= now):
                answers.remove(answer)
                rate.answered(answer)
        rate.sent()
        answer = now + dice.random() * 90
        counted.append(dice.uniform(now, answer))
        answers.append(answer)
    counted.sort()
    assert all(later - earlier > 60 - 1e-6 for earlier, later in zip(counted, counted[limit:], strict=False))


def quiet(most: int) -> Pace:
    return Pace(most, random_number=lambda: 0.0)


def test_nothing_refused_means_no_pause_and_all_the_room() -> None:
    pace = quiet(10)
    assert pace.wait(0.0, in_flight=9, unanswered=9) == 0
    assert pace.wait(0.0, in_flight=10, unanswered=0) == math.inf


def test_a_refusal_stops_all_and_one_tries_alone() -> None:
    pace = quiet(8)
    for _ in range(8):
        pace.sent()
    pace.refused(100.0, in_flight=8)
    assert pace.wait(100.0, in_flight=3, unanswered=0) == 1
    assert pace.wait(101.0, in_flight=3, unanswered=2) == math.inf  # others of the same burst are still out
    pace.refused(101.0, in_flight=5)  # one of them, which changes nothing
    pace.taken()  # another
    assert pace.wait(101.0, in_flight=3, unanswered=0) == 0
    pace.sent()
    assert pace.wait(101.0, in_flight=4, unanswered=1) == math.inf
    pace.taken()
    assert pace.wait(101.0, in_flight=4, unanswered=1) == 0
    assert pace.wait(101.0, in_flight=6, unanswered=1) == math.inf  # of 8, a quarter is off


def test_pauses_double_while_the_one_that_tries_is_refused_and_begin_anew_when_it_is_taken() -> None:
    pace, now = quiet(8), 0.0
    pauses: list[float] = []
    for _ in range(9):
        pace.sent()
        pace.refused(now, in_flight=1)
        pauses.append(pace.wait(now, in_flight=0, unanswered=0))
        now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    pace.sent()
    pace.taken()
    pace.sent()
    pace.refused(now, in_flight=1)
    assert pace.wait(now, in_flight=0, unanswered=0) == 1


@pytest.mark.parametrize(("asked", "obeyed"), [(0.2, 1.0), (7.0, 7.0), (86400.0, LONGEST_PAUSE)])
def test_retry_after_is_obeyed_up_to_a_minute(asked: float, obeyed: float) -> None:
    pace = quiet(8)
    pace.refused(0.0, in_flight=4, retry_after=asked)
    assert pace.wait(0.0, in_flight=0, unanswered=0) == obeyed


def test_the_jitter_only_adds() -> None:
    for number in (0.0, 0.5, 1.0):
        pace = Pace(8, random_number=lambda number=number: number)
        pace.refused(0.0, in_flight=4, retry_after=10.0)
        assert pace.wait(0.0, 0, 0) == pytest.approx(10 * (1 + 0.2 * number))


def test_room_shrinks_to_one_at_least_and_grows_back_to_all_of_it() -> None:
    pace = quiet(20)
    for _ in range(50):
        pace.sent()
        pace.refused(0.0, in_flight=1)
        pace.sent()
        pace.taken()
    assert pace.wait(1e9, in_flight=0, unanswered=0) == 0
    assert pace.wait(1e9, in_flight=1, unanswered=0) == math.inf
    for _ in range(200):
        pace.sent()
        pace.taken()
    assert pace.wait(1e9, in_flight=19, unanswered=0) == 0
    assert pace.wait(1e9, in_flight=20, unanswered=0) == math.inf


def test_a_refused_question_slows_submissions_down_too() -> None:
    pace = quiet(8)
    pace.hindered(0.0, in_flight=8, retry_after=5.0)
    assert pace.wait(0.0, in_flight=0, unanswered=0) == 5
    assert pace.wait(5.0, in_flight=6, unanswered=0) == math.inf
    pace.sent()
    pace.hindered(5.0, in_flight=1)  # the one that tries is still out
    pace.taken()
    assert pace.wait(5.0, in_flight=1, unanswered=1) == 0


@pytest.mark.parametrize("limit", [3, 40])
def test_a_limit_on_tasks_at_once_is_found_and_used(limit: int) -> None:
    """A simulation: more is allowed here than the service takes, each task runs for ten seconds."""
    pace, now, dice = Pace(100, random.Random(1).random), 0.0, random.Random(2)
    ends: list[float] = []
    refused = taken = busy = 0
    while now < 1000:
        ends = [end for end in ends if end > now]
        wait = pace.wait(now, len(ends), 0)
        if wait:
            step = max(1e-3, min([now + wait, *ends]) - now)
            busy += step * len(ends)
            now += step
            continue
        pace.sent()
        if len(ends) >= limit:
            refused += 1
            pace.refused(now, len(ends) + 1)
        else:
            taken += 1
            pace.taken()
            ends.append(now + dice.uniform(8, 12))
    assert busy / 1000 > 0.7 * limit
    assert refused < 0.1 * taken
