"""What holds for the bytes of all three vendors."""

from __future__ import annotations

import asyncio
import gzip
from contextlib import aclosing
from dataclasses import replace

import pytest

from providers.errors import Disconnected, EmptyReply, Malformed, ProviderError, Unauthorized, Unreachable
from providers.events import Delta, Event
from tests.providers.rawvendor import (
    DELTAS,
    ENDS,
    OPENINGS,
    REQUEST,
    VENDORS,
    adapter_at,
    collect,
    finish_of,
    raw_vendor,
    reply_to,
    text_of,
)  # fmt: skip
from tests.simulator import Simulator

MODELS = {"openai": "gpt-4o", "anthropic": "claude-3-5-sonnet-latest", "gemini": "gemini-2.0-flash"}
every_vendor = pytest.mark.parametrize("vendor", VENDORS)


def whole(vendor: str, *deltas: bytes) -> bytes:
    return OPENINGS[vendor] + b"".join(DELTAS[vendor] % delta for delta in deltas) + ENDS[vendor]


async def until_failure(vendor: str, *writes: bytes) -> tuple[list[Event], ProviderError]:
    """What came before the failure, and the failure."""
    events: list[Event] = []
    async with raw_vendor(*writes) as server, adapter_at(vendor, server.root) as adapter:
        stream = adapter.stream(REQUEST)
        try:
            while True:
                events.append(await anext(stream))
        except ProviderError as error:
            return events, error


@every_vendor
async def test_it_makes_one_delta_of_one_read(vendor: str) -> None:
    events = await reply_to(vendor, OPENINGS[vendor], DELTAS[vendor] % b"a" + DELTAS[vendor] % b"b", ENDS[vendor])
    assert [event for event in events if isinstance(event, Delta)] == [Delta("ab")]


@every_vendor
async def test_it_makes_a_delta_of_every_read(vendor: str) -> None:
    events = await reply_to(vendor, OPENINGS[vendor], DELTAS[vendor] % b"a", DELTAS[vendor] % b"b", ENDS[vendor])
    assert [event for event in events if isinstance(event, Delta)] == [Delta("a"), Delta("b")]


@every_vendor
async def test_it_puts_together_what_two_reads_cut(vendor: str) -> None:
    stream = whole(vendor, "é🌍".encode())
    cut = stream.index("🌍".encode()) + 2
    assert text_of(await reply_to(vendor, stream[:cut], stream[cut:])) == "é🌍"


@every_vendor
async def test_it_joins_an_emoji_that_two_deltas_share(vendor: str) -> None:
    assert text_of(await reply_to(vendor, whole(vendor, rb"a\ud83d", rb"\ude00b"))) == "a😀b"


@every_vendor
async def test_it_replaces_a_half_emoji_at_the_end(vendor: str) -> None:
    assert text_of(await reply_to(vendor, whole(vendor, rb"\ud83d"))) == "\ufffd"


@every_vendor
async def test_it_drops_nul_and_nothing_else(vendor: str) -> None:
    stream = whole(vendor, rb"data: \u0001\u0000\r\n\n\u2028", "\u2028\x85".encode())
    assert text_of(await reply_to(vendor, stream)) == "data: \x01\r\n\n\u2028\u2028\x85"


@every_vendor
async def test_it_reads_lines_that_end_in_crlf(vendor: str) -> None:
    assert text_of(await reply_to(vendor, whole(vendor, b"a").replace(b"\n", b"\r\n"))) == "a"


@every_vendor
async def test_it_bears_comments_and_names_it_does_not_know(vendor: str) -> None:
    noise = b": keep-alive\n\nevent: news\nid: 7\nretry: 10\n\n"
    assert text_of(await reply_to(vendor, noise + whole(vendor, b"a") + noise)) == "a"


@every_vendor
async def test_it_gives_the_text_before_an_error_in_the_same_read(vendor: str) -> None:
    events, error = await until_failure(vendor, OPENINGS[vendor] + DELTAS[vendor] % b"a" + b"data: garbage\n\n")
    assert (events, type(error)) == ([Delta("a")], Malformed)


@every_vendor
async def test_it_says_that_a_reply_was_cut_off(vendor: str) -> None:
    events, error = await until_failure(vendor, OPENINGS[vendor] + DELTAS[vendor] % b"a")
    assert (events, type(error)) == ([Delta("a")], Disconnected)


@every_vendor
async def test_it_says_that_a_reply_was_empty(vendor: str) -> None:
    with pytest.raises(EmptyReply):
        await reply_to(vendor, OPENINGS[vendor] + ENDS[vendor])


@every_vendor
async def test_it_says_that_this_is_not_its_vendor(vendor: str) -> None:
    with pytest.raises(Malformed):
        await reply_to(vendor, b"<html><body>Please log in</body></html>")


@every_vendor
async def test_it_reads_what_is_compressed_all_the_same(vendor: str) -> None:
    packed = gzip.compress(whole(vendor, b"a"))
    assert text_of(await reply_to(vendor, packed, headers=b"content-encoding: gzip\r\n")) == "a"


@every_vendor
async def test_it_keeps_the_connection_for_the_next_request(vendor: str) -> None:
    async with raw_vendor(whole(vendor, b"a")) as server, adapter_at(vendor, server.root) as adapter:
        assert [text_of(await collect(adapter)) for _ in range(3)] == ["a", "a", "a"]
    assert (len(server.requests), server.connections) == (3, 1)


@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
async def test_it_ends_with_the_reply_though_the_response_does_not(vendor: str) -> None:
    assert finish_of(await reply_to(vendor, whole(vendor, b"a"), ends=False)).reason == "stop"


@every_vendor
async def test_it_does_not_ask_again_by_itself(vendor: str) -> None:
    async with raw_vendor(b"{}", status=b"503 No") as server, adapter_at(vendor, server.root) as adapter:
        with pytest.raises(ProviderError):
            await collect(adapter)
    assert len(server.requests) == 1


@every_vendor
async def test_it_tells_neither_the_key_nor_what_the_vendor_wrote(vendor: str) -> None:
    body = b'{"error": {"message": "the-secret-key is wrong for Hello", "type": "x", "code": 401}}'
    async with raw_vendor(body, status=b"401 No") as server, adapter_at(vendor, server.root) as adapter:
        with pytest.raises(ProviderError) as caught:
            await collect(adapter)
    assert str(caught.value).endswith("answered with status 401 (the key was refused).")


@every_vendor
async def test_it_tells_a_refused_connection_from_a_timeout(vendor: str) -> None:
    async with raw_vendor() as server:
        closed = server.root
    async with adapter_at(vendor, closed) as adapter:
        with pytest.raises(Unreachable):
            await collect(adapter)


@every_vendor
async def test_it_cannot_reach_a_host_without_an_address(vendor: str) -> None:
    async with adapter_at(vendor, "http://no-such-host.invalid") as adapter:
        with pytest.raises(Unreachable):
            await collect(adapter)


@every_vendor
async def test_it_cannot_reach_a_server_that_speaks_no_tls(vendor: str) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with adapter_at(vendor, f"https://127.0.0.1:{port}") as adapter:
            with pytest.raises(Unreachable):
                await collect(adapter)


@every_vendor
async def test_it_closes_the_vendors_stream_with_its_own(vendor: str) -> None:
    async with raw_vendor(DELTAS[vendor] % b"a", ends=False) as server, adapter_at(vendor, server.root) as adapter:
        async with aclosing(adapter.stream(REQUEST)) as stream:
            await anext(stream)
        await asyncio.wait_for(server.left.wait(), 2)


@every_vendor
async def test_it_closes_the_vendors_stream_when_it_is_cancelled_while_waiting(vendor: str) -> None:
    async with raw_vendor(OPENINGS[vendor], ends=False) as server, adapter_at(vendor, server.root) as adapter:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await collect(adapter)
        await asyncio.wait_for(server.left.wait(), 2)


@every_vendor
async def test_it_closes_the_vendors_stream_when_it_is_cancelled_and_nothing_pauses(vendor: str) -> None:
    flood = DELTAS[vendor] % b"a" * 500
    async with raw_vendor(flood, endless=True) as server, adapter_at(vendor, server.root) as adapter:
        task = asyncio.create_task(collect(adapter))
        await asyncio.sleep(0.3)  # other tasks get their turn, this one too
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.left.wait(), 2)


@every_vendor
async def test_it_opens_nothing_before_it_is_read(vendor: str) -> None:
    async with raw_vendor() as server, adapter_at(vendor, server.root) as adapter:
        await adapter.stream(REQUEST).aclose()
    assert server.connections == 0


@every_vendor
async def test_it_holds_as_many_streams_open_as_its_pool_allows(vendor: str) -> None:
    async with (
        raw_vendor(DELTAS[vendor] % b"a", ends=False) as server,
        adapter_at(vendor, server.root, pool_size=150) as adapter,
    ):
        streams = [adapter.stream(REQUEST) for _ in range(150)]
        async with asyncio.timeout(20):
            assert await asyncio.gather(*map(anext, streams)) == [Delta("a")] * 150
        await asyncio.gather(*[stream.aclose() for stream in streams])


@every_vendor
async def test_it_closes_the_connection_when_it_is_cancelled_before_any_answer(
    vendor: str, simulator: Simulator
) -> None:
    simulator.script(vendor, headers_delay=60)
    async with adapter_at(vendor, simulator.base_url(vendor)) as adapter:
        task = asyncio.create_task(collect(adapter, replace(REQUEST, model=MODELS[vendor])))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert simulator.wait(vendor, state="client_closed", seconds=2)


@every_vendor
async def test_a_simulated_vendor_is_not_looked_for_behind_a_proxy(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("NO_PROXY", "")
    async with raw_vendor(whole(vendor, b"a")) as server, adapter_at(vendor, server.root, simulated=True) as adapter:
        assert text_of(await collect(adapter)) == "a"


@every_vendor
async def test_a_vendor_is_asked_through_the_proxy_of_the_environment(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with raw_vendor(whole(vendor, b"a")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.root)
        monkeypatch.setenv("no_proxy", "")
        async with adapter_at(vendor, "http://vendor.invalid") as adapter:
            assert text_of(await collect(adapter)) == "a"
    assert proxy.requests[0].startswith(b"POST http://vendor.invalid/")


@pytest.mark.parametrize(
    ("vendor", "header"),
    [
        ("openai", b"authorization: Bearer "),
        ("anthropic", b"authorization: Bearer "),
        ("gemini", b"x-goog-api-key: "),
    ],
)
@pytest.mark.parametrize(("key", "sent"), [("the-secret-key", b"the-secret-key"), (None, b"no-key")])
async def test_it_sends_its_key_or_a_placeholder(vendor: str, header: bytes, key: str | None, sent: bytes) -> None:
    async with raw_vendor(whole(vendor, b"a")) as server, adapter_at(vendor, server.root, api_key=key) as adapter:
        await collect(adapter)
    assert b"\r\n" + (header + sent).lower() + b"\r\n" in server.requests[0].lower()


@every_vendor
async def test_its_check_finds_a_wrong_key(vendor: str) -> None:
    async with raw_vendor(b"{}", status=b"401 No") as server, adapter_at(vendor, server.root) as adapter:
        with pytest.raises(Unauthorized):
            await adapter.check("a-model")


@every_vendor
async def test_its_check_finds_nobody(vendor: str) -> None:
    async with raw_vendor() as server:
        closed = server.root
    async with adapter_at(vendor, closed) as adapter:
        with pytest.raises(Unreachable):
            await adapter.check("a-model")
