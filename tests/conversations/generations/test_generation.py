from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from django.db import DatabaseError

from conversations.generations import production
from conversations.generations.generation import NOT_STORED, SHUTTING_DOWN, Generation
from conversations.refusals import Busy
from conversations.store.begin import Begun
from providers.base import Provider
from providers.errors import AllModelsFailed, Disconnected, NotConfigured, Unanswerable
from providers.events import Attempted, Delta, Usage
from providers.messages import Message
from tests.conversations.generations.fakes import (
    FOUND,
    SERVING,
    Book,
    Fake,
    begun,
    ending,
    live,
    never_pausing,
    saying,
    saying_then,
    swallowing,
    text_of,
)

# -- a reply that ends by itself


async def test_it_ends_complete() -> None:
    generation = live(saying("Hel", "lo"))
    assert ((await ending(generation)).status, generation.buffer.text) == ("complete", "Hello")


async def test_its_end_is_stored_before_it_is_told() -> None:
    book = Book()
    generation = live(saying("Hel", "lo"), book=book)
    await ending(generation)
    assert [(end.status, end.text) for end in book.finished] == [("complete", "Hello")]


async def test_what_the_model_said_of_it_is_stored() -> None:
    book = Book()
    await ending(live(saying("A"), book=book))
    (end,) = book.finished
    assert (end.provider, end.model, end.finish_reason) == ("gpt", "gpt-4o", "stop")
    assert (end.input_tokens, end.output_tokens, end.usage_estimated) == (12, 34, False)


async def test_usage_is_estimated_where_the_vendor_told_none() -> None:
    book = Book()
    await ending(live(saying_then(Disconnected("gone"), "eight ch"), book=book))
    assert (book.finished[0].output_tokens, book.finished[0].usage_estimated) == (2, True)


async def test_a_count_that_no_column_takes_is_brought_into_bounds() -> None:
    book = Book()

    async def stream(request):  # type: ignore[no-untyped-def]
        yield SERVING
        yield Delta("A")
        yield Usage(-1, 10**12)

    await ending(live(Fake(stream), book=book))
    assert (book.finished[0].input_tokens, book.finished[0].output_tokens) == (0, 2**31 - 1)


async def test_every_attempt_is_stored() -> None:
    book = Book()

    async def stream(request):  # type: ignore[no-untyped-def]
        yield Attempted("gpt", "first", "timeout", None, "slow", 15000)
        yield SERVING
        yield Delta("A")

    await ending(live(Fake(stream), book=book))
    assert [(tried.model, tried.outcome) for tried in book.finished[0].attempts] == [
        ("first", "timeout"),
        ("gpt-4o", "complete"),
    ]


async def test_it_asks_what_the_conversation_holds() -> None:
    provider = saying("A")
    await ending(live(provider, book=Book()))
    assert (provider.asked[0].messages, provider.asked[0].instructions) == ((Message("user", "a"),), "Be brief.")


async def test_an_unstored_reply_asks_what_the_request_says() -> None:
    provider = saying("A")
    await ending(live(provider))
    assert provider.asked[0].messages == (Message("user", "asked"),)


async def test_every_delta_is_noted() -> None:
    book = Book()
    await ending(live(saying("a", "b", "c"), book=book))
    assert book.noted == 3


async def test_whoever_asked_learns_how_it_stands() -> None:
    generation = live(saying("A"), book=Book())
    assert await generation.begun == begun()


async def test_its_end_is_reported_once() -> None:
    ended: list[Generation] = []
    generation = live(saying("A"), on_end=ended.append)
    await generation.task
    assert ended == [generation]


# -- a reply that fails


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AllModelsFailed("Both failed.", attempts=()), 500),
        (AllModelsFailed("Too slow.", attempts=(), timed_out=True), 504),
        (Unanswerable("No question."), 400),
        (NotConfigured("Set OPENAI_API_KEY."), 500),
        (Disconnected("Gone."), 500),
    ],
)
async def test_a_failure_has_a_status_and_a_sentence(error: Exception, code: int) -> None:
    found = await ending(live(saying_then(error)))
    assert (found.status, found.error, found.code) == ("failed", str(error), code)


async def test_a_failure_after_text_keeps_the_text() -> None:
    book = Book()
    await ending(live(saying_then(Disconnected("Gone."), "par"), book=book))
    assert (book.finished[0].status, book.finished[0].text, book.finished[0].error) == ("failed", "par", "Gone.")


async def test_an_unexpected_error_is_a_failure() -> None:
    book = Book()
    found = await ending(live(saying_then(RuntimeError("secret"), "par"), book=book))
    assert (found.status, "secret" in found.error, book.finished[0].text) == ("failed", False, "par")


async def test_an_error_before_anybody_is_asked_is_a_failure() -> None:
    def nobody(begun: Begun | None) -> Provider:
        raise LookupError("secret")

    book = Book()
    found = await ending(live(saying("A"), book=book, answering=nobody))
    assert (found.status, "secret" in found.error, book.finished[0].status) == ("failed", False, "failed")


async def test_a_path_that_cannot_be_read_is_a_failure() -> None:
    async def unreachable(message_pk: int) -> list[Message]:
        raise DatabaseError

    book = Book()
    generation = live(saying("A"), book=book, stands=begun(running=False), context_of=unreachable)
    generation.go.set()
    assert ((await ending(generation)).status, book.finished[0].status) == ("failed", "failed")


async def test_an_end_that_breaks_is_told_all_the_same() -> None:
    class Broken(Book):
        async def end(self, generation: Generation, finished: object) -> bool:
            raise RuntimeError

    generation = live(saying("A"), book=Broken())
    found = await ending(generation)
    assert (found.status, found.stored) == ("failed", False)


async def test_a_refused_beginning_is_told_to_whoever_asked() -> None:
    generation = live(saying("A"), book=Book(), stands=Busy("no"))
    with pytest.raises(Busy):
        await generation.begun


async def test_a_refused_beginning_asks_nobody() -> None:
    provider = saying("A")
    generation = live(provider, book=Book(), stands=Busy("no"))
    await ending(generation)
    assert provider.asked == []


async def test_what_an_earlier_request_began_is_not_produced_again() -> None:
    provider = saying("A")
    generation = live(provider, book=Book(), stands=begun(fresh=False))
    await generation.task
    assert provider.asked == []


async def test_a_reply_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(production, "MAX_REPLY_LENGTH", 100)
    provider, book = never_pausing(), Book()
    found = await ending(live(provider, book=book))
    assert (found.status, 100 < len(book.finished[0].text) < 110, provider.open) == ("failed", True, 0)


async def test_nothing_is_claimed_as_stored_while_the_database_is_away() -> None:
    found = await ending(live(saying("A"), book=Book(away=True)))
    assert (found.status, found.error, found.stored) == ("failed", NOT_STORED, False)


async def test_the_end_that_another_wrote_is_told() -> None:
    assert await ending(live(saying("A"), book=Book(mine=False))) is FOUND


# -- a reply that is stopped


async def test_a_cancel_before_the_first_token() -> None:
    provider, book = saying_then(None), Book()
    generation = live(provider, book=book)
    await provider.began.wait()
    generation.cancel()
    assert ((await ending(generation)).status, book.finished[0].text, provider.open) == ("cancelled", "", 0)


async def test_a_cancel_in_mid_stream_keeps_the_text() -> None:
    provider, book = saying_then(None, "par"), Book()
    generation = live(provider, book=book)
    await text_of(generation)
    generation.cancel()
    assert ((await ending(generation)).status, book.finished[0].text, provider.open) == ("cancelled", "par", 0)


async def test_a_cancel_of_a_stream_that_never_pauses() -> None:
    provider, book = never_pausing(), Book()
    generation = live(provider, book=book)
    await text_of(generation, 100)
    generation.cancel()
    assert ((await ending(generation)).status, provider.open) == ("cancelled", 0)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_cancel_that_a_library_swallows_is_repeated(times: int) -> None:
    provider = swallowing(times)
    generation = live(provider, book=Book())
    await text_of(generation)
    generation.cancel()
    assert ((await ending(generation)).status, provider.open) == ("cancelled", 0)


async def test_a_cancel_of_a_library_that_swallows_every_one_ends_with_the_next_text() -> None:
    async def stream(request):  # type: ignore[no-untyped-def]
        yield SERVING
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)
            yield Delta("more ")

    provider = Fake(stream)
    generation = live(provider, book=Book())
    await text_of(generation)
    generation.cancel()
    assert ((await ending(generation)).status, provider.open) == ("cancelled", 0)


async def test_a_cancel_before_it_stands_in_the_database() -> None:
    stands = asyncio.Event()

    async def begin() -> Begun:
        await stands.wait()
        return begun()

    provider, book = saying("A"), Book()
    generation = live(provider, book=book, begin=begin)
    await asyncio.sleep(0)
    generation.cancel()
    stands.set()
    assert ((await ending(generation)).status, provider.asked, len(book.finished)) == ("cancelled", [], 1)


async def test_a_cancel_while_it_waits_for_its_turn() -> None:
    provider, book = saying("A"), Book()
    generation = live(provider, book=book, stands=begun(running=False))
    await generation.begun
    generation.cancel()
    assert ((await ending(generation)).status, provider.asked) == ("cancelled", [])


async def test_the_first_reason_to_stop_counts() -> None:
    generation = live(saying_then(None, "par"), book=Book())
    await text_of(generation)
    generation.cancel()
    generation.stop(SHUTTING_DOWN)
    assert (await ending(generation)).status == "cancelled"


async def test_to_cancel_what_has_ended_changes_nothing() -> None:
    book = Book()
    generation = live(saying("A"), book=book)
    await ending(generation)
    generation.cancel()
    assert (generation.buffer.ending and generation.buffer.ending.status, len(book.finished)) == ("complete", 1)


async def test_a_cancel_while_the_end_is_stored_changes_nothing() -> None:
    class Slow(Book):
        async def end(self, generation: Generation, finished: object) -> bool:
            generation.cancel()
            await asyncio.sleep(0.3)
            return True

    assert (await ending(live(saying("A"), book=Slow()))).status == "complete"


async def test_a_shutdown_interrupts_and_keeps_the_text() -> None:
    provider, book = saying_then(None, "par"), Book()
    generation = live(provider, book=book)
    await text_of(generation)
    generation.stop(SHUTTING_DOWN)
    found = await ending(generation)
    assert (found.status, found.code, book.finished[0].text) == ("interrupted", 503, "par")


async def test_a_lost_reply_closes_the_vendors_stream_and_writes_nothing() -> None:
    provider, book = saying_then(None, "par"), Book()
    generation = live(provider, book=book)
    await text_of(generation)
    generation.lose()
    assert (await ending(generation), provider.open, book.finished) == (FOUND, 0, [])


async def test_a_task_that_is_killed_tells_its_viewers() -> None:
    generation = live(saying_then(None, "par"), book=Book())
    await text_of(generation)
    generation.task.cancel()
    found = await ending(generation)
    assert (found.status, found.stored) == ("interrupted", False)


# -- a reply that waits


async def test_it_asks_nobody_before_it_has_its_go() -> None:
    provider = saying("A")
    generation = live(provider, book=Book(), stands=begun(running=False))
    await generation.begun
    await asyncio.sleep(0)
    assert provider.asked == []
    generation.cancel()


async def test_it_asks_with_the_path_as_it_stands_then() -> None:
    provider = saying("A")
    generation = live(provider, book=Book(), stands=begun(running=False))
    generation.go.set()
    await ending(generation)
    assert provider.asked[0].messages == [Message("user", "what waited")]


async def test_it_asks_with_the_instructions_as_they_stood() -> None:
    provider = saying("A")
    generation = live(provider, book=Book(), stands=begun(running=False))
    generation.go.set()
    await ending(generation)
    assert provider.asked[0].instructions == "Be brief."


# -- viewers


async def test_it_goes_on_without_viewers() -> None:
    generation = live(saying_then(None, "par"), book=Book())
    generation.viewer_came()
    await text_of(generation)
    generation.viewer_left()
    await asyncio.sleep(0)
    assert generation.buffer.ending is None
    generation.cancel()


async def test_it_ends_with_its_last_viewer_where_that_was_asked_for() -> None:
    provider = saying_then(None, "par")
    generation = live(provider, book=Book(), on_disconnect="cancel")
    generation.viewer_came()
    await text_of(generation)
    generation.viewer_left()
    assert ((await ending(generation)).status, provider.open) == ("cancelled", 0)


async def test_it_goes_on_while_anybody_views_it() -> None:
    generation = live(saying_then(None, "par"), book=Book(), on_disconnect="cancel")
    generation.viewer_came()
    generation.viewer_came()
    await text_of(generation)
    generation.viewer_left()
    await asyncio.sleep(0)
    assert generation.buffer.ending is None
    generation.viewer_left()


async def test_a_reply_that_its_last_viewer_left_is_abandoned() -> None:
    book = Book()
    generation = live(saying_then(None), book=book, on_disconnect="cancel")
    generation.viewer_came()
    await generation.begun
    generation.viewer_left()
    await ending(generation)
    assert book.finished[0].abandoned


async def test_a_reply_that_is_cancelled_before_a_viewer_is_not_abandoned() -> None:
    book = Book()
    generation = live(saying_then(None), book=book)
    generation.viewer_came()
    await generation.begun
    generation.cancel()
    await ending(generation)
    assert not book.finished[0].abandoned


async def test_a_stream_that_was_answered_has_begun() -> None:
    book = Book()
    generation = live(saying_then(None), book=book)
    generation.answered = True
    await generation.begun
    generation.cancel()
    await ending(generation)
    assert book.finished[0].begun
