"""What a client learns about how long tasks take, and when it polls because of that."""

import math
import threading
from collections import deque
from typing import Any

import httpx
import pytest
from attrs import define, field

from tests.conftest import Connect, TestClock
from wavespeed_client import AsyncWaveSpeed, Task, TaskFailedError, TaskTimeoutError
from wavespeed_client.waiting.durations import (
    ANY_MODEL,
    MOST_MODELS,
    MOST_SUBMISSIONS,
    PATIENCE,
    REMEMBERED,
    SHORTEST_DELAY,
    Duration,
    Durations,
    next_poll,
    seconds_taken,
)

MODEL = "wavespeed-ai/wan-2.2"
SLOW = Duration(median=60, spread=0.1)

durations = pytest.mark.parametrize(
    "duration", [ANY_MODEL, SLOW, Duration(4, 1.0), Duration(0.5, 0.02), Duration(9, 5.0)]
)


@durations
def test_the_area_is_the_sum_of_the_probabilities(duration: Duration) -> None:
    for age in (duration.median * ratio for ratio in (0.01, 0.9, 1, 1.1, 5, 50)):
        step = age / 5000
        summed = sum(duration.at(step * (number + 0.5))[0] for number in range(5000)) * step
        assert duration.at(age)[1] == pytest.approx(summed, rel=1e-3)


@durations
def test_half_of_the_tasks_take_longer_than_the_median(duration: Duration) -> None:
    before, half, after = (duration.at(duration.median * ratio)[0] for ratio in (0.999, 1, 1.001))
    assert before > half > after
    assert half == pytest.approx(0.5)
    assert duration.at(0) == (1, 0)


@durations
@pytest.mark.parametrize("age", [0.0, 0.4, 5.0, 59.0, 70.0, 5000.0])
def test_a_poll_is_due_when_the_expected_lateness_reaches_the_patience(duration: Duration, age: float) -> None:
    delay = next_poll(age, duration)

    def running(seconds: float) -> float:
        chance = duration.outlier_chance()
        return (1 - chance) * duration.at(seconds)[0] + chance * ANY_MODEL.at(seconds)[0]

    step = delay / 5000
    lateness = sum(1 - running(age + step * (number + 0.5)) / running(age) for number in range(5000)) * step
    assert lateness == pytest.approx(PATIENCE, abs=0.006) or (delay == SHORTEST_DELAY and lateness > PATIENCE)


def test_polls_of_an_unknown_model_come_soon_and_ever_more_slowly() -> None:
    age, delays = 0.0, list[float]()
    while age < 600:
        delays.append(next_poll(age, ANY_MODEL))
        age += delays[-1]
    rising = delays[delays.index(min(delays)) :]
    assert rising == sorted(rising)
    assert delays[0] < 1
    assert all(delay < 10 for delay in delays)


def test_polls_of_a_known_model_are_close_together_around_its_median() -> None:
    around = next_poll(60, SLOW)
    assert around < next_poll(30, SLOW) / 4
    assert around < next_poll(90, SLOW) < next_poll(200, SLOW)
    assert next_poll(5000, SLOW) == pytest.approx(next_poll(5000, ANY_MODEL), rel=0.01)


def test_the_more_earlier_durations_differ_the_likelier_is_an_outlier() -> None:
    chances = [Duration(60, spread).outlier_chance() for spread in (0.02, 0.1, 0.5, 2.0)]
    assert chances == sorted(chances)
    assert 0.05 < chances[0] < chances[1] < 0.1
    assert chances[-1] > 0.5


def test_less_patience_means_an_earlier_poll() -> None:
    for age in (0.0, 50.0, 60.0):
        delays = [next_poll(age, SLOW, PATIENCE * factor) for factor in (0.6, 1.0, 1.4)]
        assert delays == sorted(set(delays))


@pytest.mark.parametrize(
    ("inference_ms", "at_least", "at_most", "expected"),
    [
        (4200.0, 4.0, 4.5, 4.2),
        (4200.0, 34.0, 34.5, 34.0),  # it waited in a queue
        (4200.0, 0.0, 1000.0, 4.2),  # it was not polled for a long time
        (99000.0, 1.0, 1.5, 1.5),
        (None, 4.0, 5.0, math.sqrt(20)),
        (None, 0.0, 2.0, 2.0),
        (None, 0.0, 1000.0, None),
        (None, 100.0, 1000.0, None),
        (0.0, 0.0, 2.0, 2.0),
        (math.nan, 0.0, 2.0, 2.0),
        (-5.0, 0.0, 1000.0, None),
    ],
)
def test_the_seconds_that_a_completed_task_took_are_estimated(
    inference_ms: float | None, at_least: float, at_most: float, expected: float | None
) -> None:
    assert seconds_taken(inference_ms, at_least, at_most, ANY_MODEL) == pytest.approx(expected)


def test_an_upper_bound_is_used_only_if_it_is_low() -> None:
    assert seconds_taken(None, 0, 50, SLOW) == 50
    assert seconds_taken(None, 0, 70, SLOW) is None


def test_few_durations_that_agree_are_not_trusted_as_much_as_many() -> None:
    logarithms = deque([math.log(5.0)])
    spreads = list[float]()
    for _ in range(4):
        spreads.append(Duration.of(logarithms).spread)
        assert Duration.of(logarithms).median == pytest.approx(5)
        logarithms.append(math.log(5.0))
    assert spreads == sorted(spreads, reverse=True)
    assert Duration.of(deque([math.log(2.0), math.log(60.0)])).spread > 1


def learn(memory: Durations, seconds: float, model: str = MODEL, status: str = "completed") -> None:
    task = Task(id="abc", model=model, status="created")
    memory.submitted(task, 0.0)
    memory.ended(Task(id="abc", model=model, status=status, inference_ms=seconds * 1000), 0.0, 10_000.0)


def known(memory: Durations, model: str = MODEL) -> Duration | None:
    """Return what was learnt about a model; None if nothing was."""
    found = memory.known(model)
    return None if found is ANY_MODEL else found


def test_one_slow_task_changes_little_and_a_change_that_lasts_changes_all() -> None:
    memory = Durations()
    for seconds in (10, 10, 10, 10, 300):
        learn(memory, seconds)
    found = known(memory)
    assert found is not None
    assert found.median == pytest.approx(10)
    for _ in range(REMEMBERED):
        learn(memory, 30)
    found = known(memory)
    assert found is not None
    assert found.median == pytest.approx(30)
    assert found.spread < 0.1


@pytest.mark.parametrize("status", ["failed", "cancelled", "timeout", "deleted"])
def test_a_task_that_did_not_complete_teaches_nothing(status: str) -> None:
    memory = Durations()
    learn(memory, 5, status=status)
    assert known(memory) is None


def test_a_task_that_another_client_submitted_or_without_a_model_teaches_nothing() -> None:
    memory = Durations()
    memory.ended(Task(id="other", model=MODEL, status="completed", inference_ms=4000.0), 3.0, 5.0)
    learn(memory, 5, model="")
    assert known(memory) is None
    assert known(memory, "") is None


def test_an_instant_task_is_learnt_as_the_shortest() -> None:
    memory = Durations()
    memory.submitted(Task(id="abc", model=MODEL, status="created"), 7.0)
    memory.ended(Task(id="abc", model=MODEL, status="completed"), 0.0, 0.0)
    found = known(memory)
    assert found is not None
    assert found.median == pytest.approx(SHORTEST_DELAY)


def test_the_memory_is_bounded_and_forgets_the_least_recently_used() -> None:
    memory = Durations()
    for number in range(MOST_MODELS):
        learn(memory, 5, model=f"some/model-{number}")
    learn(memory, 5, model="some/model-0")
    learn(memory, 5, model="some/new")
    assert known(memory, "some/model-0") is not None
    assert known(memory, "some/new") is not None
    assert known(memory, "some/model-1") is None
    assert known(memory, f"some/model-{MOST_MODELS // 2}") is not None
    for number in range(MOST_SUBMISSIONS + 1):
        memory.submitted(Task(id=f"id-{number}", model=MODEL, status="created"), float(number))
    assert memory.submission(Task(id="id-0", model=MODEL, status="created")) is None
    half = MOST_SUBMISSIONS // 2
    assert memory.submission(Task(id=f"id-{half}", model=MODEL, status="created")) == half


def test_threads_may_share_a_memory_of_durations() -> None:
    memory = Durations()
    failures: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for number in range(300):
                task = Task(id=f"{name}-{number}", model=f"some/{name}-{number}", status="created")
                memory.submitted(task, 0.0)
                memory.ended(Task(id=task.id, model=task.model, status="completed", inference_ms=4000.0), 0.0, 9.0)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    kept = [name for name in range(4) if known(memory, f"some/{name}-299") is not None]
    assert kept != []
    assert MOST_MODELS // 2 < len(memory._learnt) <= MOST_MODELS
    assert memory._submissions == {}


@define
class TimedService:
    """A service whose tasks take `seconds` on the test's clock."""

    clock: TestClock
    seconds: float = 60.0
    ending: str = "completed"
    timings: bool = True
    polls: list[float] = field(factory=list)
    _began: dict[str, float] = field(factory=dict)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            name = f"task-{len(self._began)}"
            self._began[name] = self.clock.now()
            self.polls.clear()
            return self._prediction(name, "created")
        name = request.url.path.split("/")[4]
        self.polls.append(self.clock.now() - self._began[name])
        return self._prediction(name, self.ending if self.polls[-1] >= self.seconds else "processing")

    def _prediction(self, name: str, status: str) -> httpx.Response:
        data: dict[str, Any] = {"id": name, "model": MODEL, "status": status}
        if status == "completed" and self.timings:
            data["timings"] = {"inference": int(self.seconds * 1000)}
        return httpx.Response(200, json={"code": 200, "message": "success", "data": data})


@pytest.fixture
def service(clock: TestClock) -> TimedService:
    return TimedService(clock)


@pytest.fixture
def timed(connect: Connect, service: TimedService) -> Any:
    """A client of that service, and a function that builds more clients."""

    def build() -> Any:
        transport = httpx.MockTransport(service)
        kind = type(connect("unused").client)
        caller = httpx.AsyncClient(transport=transport) if kind is AsyncWaveSpeed else httpx.Client(transport=transport)
        return connect("test-key", http_client=caller)

    return build


@pytest.mark.parametrize("timings", [True, False])
def test_a_client_polls_less_and_is_less_late_once_it_knows_a_model(
    timed: Any, service: TimedService, timings: bool
) -> None:
    service.timings = timings
    ws = timed()
    ws.run(MODEL)
    first, late = len(service.polls), service.polls[-1] - 60
    for _ in range(5):
        ws.run(MODEL)
    assert len(service.polls) < first / 2
    assert service.polls[-1] - 60 < 1.5
    assert late >= 0
    # Another client starts without this knowledge.
    timed().run(MODEL)
    assert len(service.polls) > first / 2


def test_wait_and_run_share_what_they_learn(timed: Any, service: TimedService) -> None:
    ws = timed()
    ws.run(MODEL)
    first = len(service.polls)
    for _ in range(3):
        ws.wait(ws.submit(MODEL))
    assert len(service.polls) < first / 2
    ws.run(MODEL)
    assert len(service.polls) < first / 2


def test_a_task_that_should_have_ended_by_now_is_polled_at_once(
    timed: Any, service: TimedService, clock: TestClock
) -> None:
    ws = timed()
    ws.run(MODEL)
    task = ws.submit(MODEL)
    clock.sleep(300)
    ws.wait(task)
    assert service.polls == [300]


def test_a_task_of_unknown_age_is_polled_as_if_nothing_were_known(
    timed: Any, service: TimedService, clock: TestClock
) -> None:
    ws = timed()
    for _ in range(3):
        ws.run(MODEL)
    task = timed().submit(MODEL)
    clock.sleep(55)
    ws.wait(task)
    assert service.polls[0] < 57
    assert service.polls[-1] < 62


def test_a_wait_after_a_timeout_continues_with_the_tasks_age(timed: Any, service: TimedService) -> None:
    ws = timed()
    for _ in range(3):
        ws.run(MODEL)
    usual = len(service.polls)
    with pytest.raises(TaskTimeoutError) as caught:
        ws.run(MODEL, timeout=40)
    assert service.polls[-1] == pytest.approx(40)
    ws.wait(caught.value.task)
    assert len(service.polls) < usual * 2
    assert service.polls[-1] - 60 < 2


def test_a_task_that_fails_early_is_noticed_early(timed: Any, service: TimedService) -> None:
    ws = timed()
    for _ in range(5):
        ws.run(MODEL)
    service.seconds, service.ending = 1.0, "failed"
    with pytest.raises(TaskFailedError):
        ws.run(MODEL)
    assert service.polls[-1] < 10
    service.seconds, service.ending = 60.0, "completed"
    ws.run(MODEL)
    assert service.polls[-1] - 60 < 1.5
