"""Fields behind a chunked body, which whoever stands in front may not have looked at."""

from __future__ import annotations

import pytest

from tests.dialogix.sockets import connect, read_all
from tests.security.wire import STATUS_LINE, post
from tests.services.server import LiveServer


@pytest.mark.parametrize("field", [b"Host: evil.example", b"X-Request-ID: evil", b"Origin: http://localhost:5000"])
def test_it_takes_no_notice_of_them(field: bytes, server: LiveServer) -> None:
    whole = post(b"Transfer-Encoding: chunked", b"Connection: close", body=b"2\r\n{}\r\n0\r\n" + field + b"\r\n\r\n")
    with connect(server) as connection:
        connection.sendall(whole)
        answer = read_all(connection).lower()
    assert STATUS_LINE.findall(answer.upper()) == [b"200"]
    assert b"evil" not in answer
    assert b"allow-origin" not in answer
