from __future__ import annotations

from providers.breaker import Breaker
from tests.providers.fakes import Clock

GPT = ("gpt", "gpt-4o")
MINI = ("gpt", "gpt-4o-mini")


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(clock=clock)
    for _ in range(5):
        breaker.timed_out(GPT)
    return breaker


def test_it_is_closed_at_first() -> None:
    assert Breaker().begin(GPT) is True


def test_it_stays_closed_for_four_timeouts() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.timed_out(GPT)
    assert breaker.begin(GPT) is True


def test_it_opens_at_the_fifth_timeout() -> None:
    assert opened(Clock()).begin(GPT) is False


def test_it_counts_timeouts_in_a_row_only() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.timed_out(GPT)
    breaker.answered(GPT)
    breaker.timed_out(GPT)
    assert breaker.state(GPT) == "closed"


def test_it_knows_each_model_by_itself() -> None:
    assert opened(Clock()).begin(MINI) is True


def test_it_stays_open_for_thirty_seconds() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 29.9
    assert breaker.begin(GPT) is False


def test_it_lets_one_probe_through_after_the_pause() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 30
    assert [breaker.begin(GPT) for _ in range(3)] == [True, False, False]


def test_it_closes_when_the_probe_is_answered() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 30
    breaker.begin(GPT)
    breaker.answered(GPT)
    assert [breaker.begin(GPT) for _ in range(3)] == [True, True, True]


def test_it_opens_for_another_pause_when_the_probe_hangs() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 30
    breaker.begin(GPT)
    clock.now += 15
    breaker.timed_out(GPT)
    clock.now += 29
    assert breaker.state(GPT) == "open"


def test_it_probes_again_when_nobody_waited_for_the_probe() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 30
    breaker.begin(GPT)
    clock.now += 30
    assert breaker.begin(GPT) is True


def test_it_tells_the_state_of_every_model() -> None:
    clock = Clock()
    breaker = opened(clock)
    breaker.answered(MINI)
    clock.now += 30
    assert breaker.states() == {GPT: "half_open", MINI: "closed"}
