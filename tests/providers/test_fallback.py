from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable

import pytest

from providers.base import Push, keep
from providers.breaker import Breaker
from providers.errors import (
    AllModelsFailed,
    Disconnected,
    Filtered,
    NotConfigured,
    ProviderError,
    RateLimited,
    TimedOut,
    Unanswerable,
    VendorFailed,
)
from providers.events import Attempted, Delta, Event, Finish, Serving, Usage
from providers.fallback import Candidate, Fallback
from providers.messages import CompletionRequest
from tests.providers.fakes import ENDLESS, HANG, REPLY, REQUEST, Clock, Scripted, answering, failing, hanging, read_into

SHORT = 0.3
LONG = 30.0


def over(*groups: list[Scripted], timeout: float = LONG, breaker: Breaker | None = None) -> Fallback:
    """A fallback over providers p0, p1, … with the models p0-m0, p0-m1, …"""
    candidates = [
        [Candidate(f"p{g}", f"p{g}-m{m}", source) for m, source in enumerate(group)] for g, group in enumerate(groups)
    ]
    return Fallback(candidates, timeout=timeout, breaker=breaker or Breaker())


async def collect(fallback: Fallback) -> list[Event]:
    events: list[Event] = []
    await read_into(events, fallback)
    return events


async def failure(fallback: Fallback) -> AllModelsFailed:
    with pytest.raises(AllModelsFailed) as caught:
        await collect(fallback)
    return caught.value


def outcomes(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.model, event.outcome) for event in events if isinstance(event, Attempted)]


async def test_it_names_the_model_before_its_text() -> None:
    assert await collect(over([answering(), failing()])) == [Serving("p0", "p0-m0"), *REPLY]


async def test_it_asks_each_candidate_for_its_own_model() -> None:
    first, second = failing(), answering()
    await collect(over([first, second]))
    assert [first.asked[0].model, second.asked[0].model] == ["p0-m0", "p0-m1"]


async def test_it_does_not_ask_the_second_model_when_the_first_answers() -> None:
    second = answering()
    await collect(over([answering(), second]))
    assert second.asked == []


async def test_it_tells_of_a_failed_try_and_serves_the_next_model() -> None:
    events = await collect(over([failing(), answering()]))
    told = events[0]
    assert isinstance(told, Attempted)
    assert (told.provider, told.model, told.outcome, told.status, told.error) == (
        "p0",
        "p0-m0",
        "vendor_failed",
        529,
        "The vendor is overloaded.",
    )
    assert events[1:] == [Serving("p0", "p0-m1"), *REPLY]


def leaves(kind: type[ProviderError]) -> list[type[ProviderError]]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in leaves(child))]


RETRYABLE = [kind for kind in leaves(ProviderError) if kind.retryable and kind is not ProviderError]


@pytest.mark.parametrize("kind", RETRYABLE)
async def test_it_falls_back_on_every_failure_another_model_may_better(kind: type[ProviderError]) -> None:
    events = await collect(over([Scripted(kind("It broke.")), answering()]))
    assert outcomes(events) == [("p0-m0", kind.kind)]


@pytest.mark.parametrize("error", [Unanswerable("Only instructions."), NotConfigured("Set OPENAI_API_KEY.")])
async def test_it_passes_on_what_no_other_model_would_better(error: ProviderError) -> None:
    with pytest.raises(type(error), match=str(error)):
        await collect(over([Scripted(error), answering()]))


async def test_it_falls_back_when_a_stream_ends_without_anything() -> None:
    assert outcomes(await collect(over([Scripted(), answering()]))) == [("p0-m0", "empty_reply")]


async def test_it_falls_back_when_a_stream_ends_with_a_count_but_without_text() -> None:
    empty = Scripted(Usage(3, 0), Finish("stop", "stop"))
    assert outcomes(await collect(over([empty, answering()]))) == [("p0-m0", "empty_reply")]


async def test_it_calls_a_filtered_reply_without_text_filtered() -> None:
    filtered = Scripted(Finish("content_filter", "content_filter"))
    assert outcomes(await collect(over([filtered, answering()]))) == [("p0-m0", "filtered")]


async def test_it_falls_back_on_an_error_after_an_opening_count() -> None:
    broken = Scripted(Usage(3, 0), Disconnected("The stream broke off."))
    assert outcomes(await collect(over([broken, answering()]))) == [("p0-m0", "disconnected")]


async def test_it_tells_an_early_count_after_the_first_text() -> None:
    events = await collect(over([Scripted(Usage(3, 0), Delta("Hi"), Finish("stop", "stop"))]))
    assert events == [Serving("p0", "p0-m0"), Delta("Hi"), Usage(3, 0), Finish("stop", "stop")]


async def test_it_falls_back_on_a_bug_of_an_adapter_without_telling_its_words() -> None:
    events = await collect(over([Scripted(KeyError("sk-secret")), answering()]))
    told = events[0]
    assert isinstance(told, Attempted)
    assert (told.outcome, "sk-secret" in told.error) == ("vendor_failed", False)


async def test_it_logs_a_bug_of_an_adapter_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    await collect(over([Scripted(KeyError("text")), answering()]))
    record = next(record for record in caplog.records if record.name == "providers.fallback")
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError


async def test_it_falls_back_when_a_model_hangs() -> None:
    assert outcomes(await collect(over([hanging(), answering()], timeout=SHORT))) == [("p0-m0", "timeout")]


async def test_it_closes_the_stream_of_a_model_that_hangs() -> None:
    hung = hanging()
    await collect(over([hung, answering()], timeout=SHORT))
    assert hung.closed == 1


async def test_it_never_falls_back_after_text() -> None:
    second = answering()
    with pytest.raises(Disconnected):
        await collect(over([Scripted(Delta("Hel"), Disconnected("The stream broke off.")), second]))
    assert second.asked == []


async def test_it_hands_over_the_text_before_a_late_failure() -> None:
    seen: list[Event] = []
    with pytest.raises(VendorFailed):
        await read_into(seen, over([Scripted(Delta("Hel"), KeyError("a bug"))]))
    assert seen == [Serving("p0", "p0-m0"), Delta("Hel")]


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_it_calls_a_long_silence_after_text_a_timeout(count: int) -> None:
    with pytest.raises(TimedOut):
        await collect(over([Scripted(*count * [Delta("Hel")], HANG), answering()], timeout=SHORT))


async def test_it_does_not_count_the_time_its_reader_takes() -> None:
    events = []
    async for event in over([answering()], timeout=0.2).stream(REQUEST):
        await asyncio.sleep(0.3)
        events.append(event)
    assert events[-1] == REPLY[-1]


class Pushing:
    """Says a text at a time, by push where that is taken, and ends or says nothing more."""

    def __init__(self, *texts: str, pause: float = 0.0, ends: bool = True) -> None:
        self.texts = texts
        self.pause = pause
        self.ends = ends

    async def stream(self, request: CompletionRequest, push: Push = keep) -> AsyncGenerator[Event, None]:
        for text in self.texts:
            await asyncio.sleep(self.pause)
            if not push(text):
                yield Delta(text)
        if not self.ends:
            await asyncio.Event().wait()
        yield Finish("stop", "stop")


async def pushed(source: Pushing, takes: Callable[[str], bool] = lambda _: True, timeout: float = LONG) -> list[object]:
    """What came, in its order: strings where they were pushed, events where they were yielded."""
    came: list[object] = []
    fallback = Fallback([[Candidate("p0", "p0-m0", source)]], timeout=timeout, breaker=Breaker())

    def push(text: str) -> bool:
        if taken := takes(text):
            came.append(text)
        return taken

    async for event in fallback.stream(REQUEST, push):
        came.append(event)  # noqa: PERF401  (a comprehension would lose the order)
    return came


async def test_it_names_the_model_before_anything_is_pushed() -> None:
    came = await pushed(Pushing("a", "b", "c"))
    assert came == [Serving("p0", "p0-m0"), Delta("a"), "b", "c", Finish("stop", "stop")]


async def test_it_yields_what_is_not_taken() -> None:
    came = await pushed(Pushing("a", "b", "c"), lambda text: text != "b")
    assert came[1:] == [Delta("a"), Delta("b"), "c", Finish("stop", "stop")]


async def test_a_vendor_whose_text_is_pushed_is_not_silent() -> None:
    assert "".join(map(str, (await pushed(Pushing(*"abcdefgh", pause=0.1), timeout=0.5))[2:-1])) == "bcdefgh"


async def test_it_calls_a_long_silence_after_a_push_a_timeout() -> None:
    with pytest.raises(TimedOut):
        await pushed(Pushing("a", "b", ends=False), timeout=SHORT)


async def test_it_says_how_each_model_failed() -> None:
    error = await failure(over([Scripted(TimedOut("Too slow.")), Scripted(RateLimited("Busy.", status=429))]))
    assert str(error) == "Both models failed: p0-m0 (timeout), p0-m1 (rate limited)."


async def test_it_keeps_all_failures_in_order() -> None:
    error = await failure(over([failing(), Scripted()]))
    assert outcomes(list(error.attempts)) == [("p0-m0", "vendor_failed"), ("p0-m1", "empty_reply")]


async def test_it_says_so_when_every_model_filtered() -> None:
    error = await failure(over([Scripted(Filtered("No.")), Scripted(Filtered("No."))]))
    assert str(error).endswith(
        "failed: p0-m0 (filtered), p0-m1 (filtered). The reply was refused or filtered every time."
    )


async def test_it_has_used_up_its_time_when_every_model_hangs() -> None:
    assert (await failure(over([hanging(), hanging()], timeout=SHORT))).timed_out is True


async def test_it_has_time_left_when_a_vendor_itself_gives_up() -> None:
    assert (await failure(over([Scripted(TimedOut("Too slow.")), failing()]))).timed_out is False


async def test_it_has_time_left_when_only_the_first_model_hung() -> None:
    assert (await failure(over([hanging(), failing()], timeout=2 * SHORT))).timed_out is False


async def test_it_goes_on_to_the_next_provider() -> None:
    events = await collect(over([failing(), failing()], [answering()]))
    assert (outcomes(events), events[2]) == (
        [("p0-m0", "vendor_failed"), ("p0-m1", "vendor_failed")],
        Serving("p1", "p1-m0"),
    )


async def test_it_leaves_time_for_the_last_provider_when_the_others_hang() -> None:
    events = await collect(over([hanging(), hanging()], [hanging(), hanging()], [hanging(), answering()], timeout=1.6))
    assert events[5] == Serving("p2", "p2-m1")


def seconds_of(fallback: Fallback, end: float) -> list[float]:
    return [seconds for _, seconds in fallback._shares(end)]


async def test_it_gives_half_to_a_model_but_the_last_and_to_a_group_but_the_last() -> None:
    fallback = over([answering(), answering()], [answering()], [answering(), answering()])
    shares = seconds_of(fallback, asyncio.get_running_loop().time() + 32)
    # Nothing is asked here, so each group finds all of the time still left.
    assert [round(share) for share in shares] == [8, 16, 16, 16, 32]


def breaker_open_for(*keys: tuple[str, str], clock: Clock | None = None) -> Breaker:
    breaker = Breaker(clock=clock or Clock())
    for key in keys:
        for _ in range(5):
            breaker.timed_out(key)
    return breaker


async def test_it_spares_a_model_whose_breaker_is_open() -> None:
    hung = hanging()
    events = await collect(over([hung, answering()], breaker=breaker_open_for(("p0", "p0-m0"))))
    assert (hung.asked, events[0]) == ([], Serving("p0", "p0-m1"))


@pytest.mark.parametrize("spared", ["p0-m0", "p0-m1"])
async def test_it_gives_the_time_of_a_spared_model_to_the_other(spared: str) -> None:
    fallback = over([answering(), answering()], breaker=breaker_open_for(("p0", spared)))
    assert [round(share) for share in seconds_of(fallback, asyncio.get_running_loop().time() + 30)] == [30]


@pytest.mark.parametrize("spared", ["p0", "p1"])
async def test_it_gives_the_time_of_a_spared_provider_to_the_other(spared: str) -> None:
    fallback = over([answering()], [answering()], breaker=breaker_open_for((spared, f"{spared}-m0")))
    assert [round(share) for share in seconds_of(fallback, asyncio.get_running_loop().time() + 30)] == [30]


async def test_it_asks_both_models_when_both_breakers_are_open() -> None:
    breaker = breaker_open_for(("p0", "p0-m0"), ("p0", "p0-m1"))
    assert outcomes(await collect(over([failing(), answering()], breaker=breaker))) == [("p0-m0", "vendor_failed")]


async def test_it_names_a_model_it_spared() -> None:
    error = await failure(over([failing(), hanging()], breaker=breaker_open_for(("p0", "p0-m1"))))
    assert str(error) == "The model failed: p0-m0 (vendor failed). Not tried: p0-m1."


async def test_it_probes_a_model_after_the_pause_and_closes_its_breaker() -> None:
    clock = Clock()
    breaker = breaker_open_for(("p0", "p0-m0"), clock=clock)
    clock.now += 31
    await collect(over([answering(), answering()], breaker=breaker))
    assert breaker.state(("p0", "p0-m0")) == "closed"


async def test_it_opens_the_breaker_of_a_model_that_hangs_five_times() -> None:
    breaker = Breaker()
    for _ in range(5):
        await collect(over([hanging(), answering()], timeout=SHORT, breaker=breaker))
    assert breaker.states() == {("p0", "p0-m0"): "open", ("p0", "p0-m1"): "closed"}


@pytest.mark.parametrize("answer", [failing(), answering()])
async def test_it_counts_timeouts_in_a_row_only(answer: Scripted) -> None:
    breaker = Breaker()
    hang = Scripted(TimedOut("Too slow."))
    for source in (hang, hang, hang, hang, answer, hang):
        await collect(over([source, answering()], breaker=breaker))
    assert breaker.state(("p0", "p0-m0")) == "closed"


async def test_it_learns_nothing_of_a_model_from_a_question_none_could_answer() -> None:
    breaker = breaker_open_for(("p0", "p0-m0"))
    with pytest.raises(Unanswerable):
        await collect(over([Scripted(Unanswerable("Only instructions."))], breaker=breaker))
    assert breaker.state(("p0", "p0-m0")) == "open"


@pytest.mark.parametrize("script", [(Delta("Hi"), HANG), (Delta("Hi"), ENDLESS)])
async def test_it_closes_the_vendors_stream_when_it_is_closed(script: tuple[Delta, str]) -> None:
    vendor = Scripted(*script)
    stream = over([vendor]).stream(REQUEST)
    await anext(stream)
    await anext(stream)
    await stream.aclose()
    assert vendor.closed == 1


@pytest.mark.parametrize("script", [(HANG,), (Delta("Hi"), HANG), (ENDLESS,)])
async def test_it_closes_the_vendors_stream_when_its_task_is_cancelled(script: tuple[Delta | str, ...]) -> None:
    vendor = Scripted(*script)
    task = asyncio.create_task(collect(over([vendor, answering()])))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert vendor.closed == 1


async def test_it_leaves_the_second_model_alone_when_its_task_is_cancelled() -> None:
    second = answering()
    task = asyncio.create_task(collect(over([hanging(), second])))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert second.asked == []


async def lines(fallback: Fallback, caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, int | None]]:
    caplog.set_level(logging.INFO, "providers.attempts")
    await collect(fallback)
    records = [vars(record) for record in caplog.records if record.name == "providers.attempts"]
    return [(record["model"], record["outcome"], record["status"]) for record in records]


async def test_it_logs_one_line_an_attempt(caplog: pytest.LogCaptureFixture) -> None:
    logged = await lines(over([failing(), answering()]), caplog)
    assert logged == [("p0-m0", "vendor_failed", 529), ("p0-m1", "complete", None)]


async def test_it_logs_an_attempt_whose_reader_left(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "providers.attempts")
    stream = over([Scripted(ENDLESS)]).stream(REQUEST)
    await anext(stream)
    await stream.aclose()
    assert [vars(record)["outcome"] for record in caplog.records] == ["cancelled"]


async def test_it_logs_how_long_an_attempt_took(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()

    def second() -> None:
        clock.now += 1

    vendor = Scripted(second, Delta("Hi"), second, Finish("stop", "stop"))
    candidates = [[Candidate("gpt", "gpt-4o", vendor)]]
    await lines(Fallback(candidates, timeout=LONG, breaker=Breaker(), clock=clock), caplog)
    record = vars(caplog.records[-1])
    assert (record["time_to_first_token_ms"], record["duration_ms"]) == (1000, 2000)
