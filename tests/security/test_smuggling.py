"""Requests whose end two servers would not find at the same place: refused, and nothing hidden in them is answered."""

from __future__ import annotations

import pytest

from tests.dialogix.sockets import exchange
from tests.security.wire import HIDDEN, HIDDEN_ANSWER, STATUS_LINE, post
from tests.services.server import LiveServer

CHUNKS = b"2\r\n{}\r\n0\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked"

AMBIGUOUS = {
    "a length and chunks": post(b"Content-Length: 5", CHUNKED, body=b"0\r\n\r\n"),
    "chunks and a length": post(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n"),
    "two lengths": post(b"Content-Length: 2", b"Content-Length: 90", body=b"{}"),
    "twice the same length": post(b"Content-Length: 2", b"Content-Length: 2", body=b"{}"),
    "a list of lengths": post(b"Content-Length: 2, 2", body=b"{}"),
    "a signed length": post(b"Content-Length: +2", body=b"{}"),
    "a negative length": post(b"Content-Length: -2", body=b"{}"),
    "a hexadecimal length": post(b"Content-Length: 0x2", body=b"{}"),
    "a length beyond 64 bits": post(b"Content-Length: 18446744073709551618", body=b"{}"),
    "no length in its field": post(b"Content-Length:"),
    "a space before the colon": post(b"Content-Length : 2", body=b"{}"),
    "a space before the colon of a coding": post(b"Transfer-Encoding : chunked", body=CHUNKS),
    "an unknown coding": post(b"Transfer-Encoding: xchunked", body=CHUNKS),
    "a coding in quotes": post(b'Transfer-Encoding: "chunked"', body=CHUNKS),
    "a coding with a parameter": post(b"Transfer-Encoding: chunked;q=1", body=CHUNKS),
    "a coding behind a control character": post(b"Transfer-Encoding: \x0bchunked", body=CHUNKS),
    "a coding on the next line": post(b"Transfer-Encoding:\r\n chunked", body=CHUNKS),
    "identity": post(b"Transfer-Encoding: identity", body=CHUNKS),
    "identity after chunks": post(b"Transfer-Encoding: chunked, identity", body=CHUNKS),
    "identity before chunks": post(b"Transfer-Encoding: identity, chunked", body=CHUNKS),
    "compressed chunks": post(b"Transfer-Encoding: gzip, chunked", body=CHUNKS),
    "a second, unknown coding": post(CHUNKED, b"Transfer-Encoding: x", body=CHUNKS),
    "a first, unknown coding": post(b"Transfer-Encoding: x", CHUNKED, body=CHUNKS),
    "chunks twice": post(CHUNKED, CHUNKED, body=CHUNKS),
    "chunks in HTTP/1.0": post(CHUNKED, body=CHUNKS, version=b"1.0"),
    "bare line feeds": post(b"Content-Length: 2").replace(b"\r\n", b"\n") + b"{}",
    "a field after a bare line feed": post(b"X-A: b\nContent-Length: 2", body=b"{}"),
    "a field after a bare carriage return": post(b"X-A: b\rContent-Length: 90", b"Content-Length: 2", body=b"{}"),
    "a NUL in a field": post(b"X-A: b\x00c", b"Content-Length: 2", body=b"{}"),
    "a space in a name": post(b"X A: b", b"Content-Length: 2", body=b"{}"),
    "a field without a colon": post(b"XA", b"Content-Length: 2", body=b"{}"),
    "a folded field": post(b"X-A: b\r\n Content-Length: 90", b"Content-Length: 2", body=b"{}"),
    "HTTP/0.9": b"GET /health\r\n\r\n",
    "HTTP/1.2": post(b"Content-Length: 2", body=b"{}", version=b"1.2"),
    "HTTP/2.0": post(b"Content-Length: 2", body=b"{}", version=b"2.0"),
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_it_refuses_what_could_be_read_in_two_ways(name: str, server: LiveServer) -> None:
    answer = exchange(server, AMBIGUOUS[name] + HIDDEN)
    assert STATUS_LINE.findall(answer) == [b"400"]
    assert HIDDEN_ANSWER not in answer


BROKEN_CHUNKS = {
    "a size beyond 64 bits": b"10000000000000002\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "a size with a prefix": b"0x2\r\n{}\r\n0\r\n\r\n",
    "a size before a space": b"2 \r\n{}\r\n0\r\n\r\n",
    "a size that ends in a bare line feed": b"2\n{}\n0\n\n",
    "an extension that ends in a bare line feed": b"2;a\n{}\r\n0\r\n\r\n",
    "more bytes than announced": b"2\r\n{}xx\r\n0\r\n\r\n",
    "a length behind the last chunk": b"2\r\n{}\r\n0\r\nContent-Length: 4\r\n\r\n",
    "a large block of fields behind the last chunk": b"2\r\n{}\r\n0\r\n" + b"X-A: b\r\n" * 10_000 + b"\r\n",
}


@pytest.mark.parametrize("name", BROKEN_CHUNKS)
def test_it_closes_after_chunks_that_are_none(name: str, server: LiveServer) -> None:
    answer = exchange(server, post(CHUNKED, body=BROKEN_CHUNKS[name]) + HIDDEN)
    assert HIDDEN_ANSWER not in answer
    assert b" 200 OK" not in answer


def test_it_takes_chunks_with_a_short_extension(server: LiveServer) -> None:
    answer = exchange(server, post(CHUNKED, b"Connection: close", body=b"2;a=b\r\n{}\r\n0\r\n\r\n"))
    assert STATUS_LINE.findall(answer) == [b"200"]


def test_it_reads_no_more_than_a_bound_of_what_surrounds_chunks(server: LiveServer) -> None:
    extension = b"2;" + b"a" * 8 * 1024 * 1024
    answer = exchange(server, post(CHUNKED, body=extension + b"\r\n{}\r\n0\r\n\r\n"))
    assert b" 200 OK" not in answer


def test_it_takes_a_body_in_the_smallest_chunks(server: LiveServer) -> None:
    body = b"1\r\n{\r\n" + b"1\r\n \r\n" * 300_000 + b"1\r\n}\r\n0\r\n\r\n"
    assert STATUS_LINE.findall(exchange(server, post(CHUNKED, b"Connection: close", body=body))) == [b"200"]


def test_it_answers_nothing_behind_a_request_that_was_the_last(server: LiveServer) -> None:
    answer = exchange(server, post(b"Connection: close", b"Content-Length: 2", body=b"{}") + HIDDEN)
    assert STATUS_LINE.findall(answer) == [b"200"]


def test_it_takes_the_body_of_a_get_for_its_body(server: LiveServer) -> None:
    first = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN)
    last = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = exchange(server, first + HIDDEN + last)
    assert (STATUS_LINE.findall(answer), HIDDEN_ANSWER in answer) == ([b"200", b"200"], False)


def test_it_speaks_no_other_protocol_on_request(server: LiveServer) -> None:
    fields = (
        b"Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
    )
    answer = exchange(server, b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + fields + b"\r\n" + HIDDEN)
    assert (STATUS_LINE.findall(answer), HIDDEN_ANSWER in answer) == ([b"200"], False)
