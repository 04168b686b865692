"""The three vendors' HTTP protocols in one ASGI app: the keyless default, the test double, the benchmark's upstream.

It echoes the last user message, says that it is the simulator, and plays scripts. `server.ensure_running()` starts it
inside this process, `python -m providers.simulator` alone. Its base URLs, of which the SDKs know the rest:

    <root>/openai/v1        <root>/anthropic        <root>/gemini

A script (`scripts.Script`) says what a reply does. It reaches the simulator over HTTP, also from another process:

    GET, POST, PUT, DELETE  /_simulator/scripts     [{"vendor"?, "model"?, "times"?, "script": {…}}]; POST adds, PUT
                                                    replaces; the first that matches and has times left is played;
                                                    `model` may be a glob pattern
    GET, DELETE             /_simulator/requests    what the vendors received, and how each exchange ended: `state` is
                                                    `open`, `finished`, `client_closed` or `dropped` (by a script)
    PUT                     /_simulator/recording   true or false: whether requests are kept (the newest 1000 are)

or, for people, as a directive in the last user message, where `vendor=` and `model=` limit it to that one, so that the
other model answers. Whatever is not exactly right is no directive but text:

    [[simulate chunks=100 delay=0.02]]   [[simulate status=503 model=gpt-4o]]   [[simulate fault=drop after=3]]

    field                      meaning
    text                       the reply; empty: a reply without text; absent: an echo
    chunks                     the exact deltas (also halves of surrogate pairs), or how many to make
    size                       characters per delta
    headers_delay              seconds before the headers
    first_delay                seconds between the opening frame and the first delta
    delay                      seconds between two deltas (0.02 for an echo)
    burst                      all deltas in few large writes, without any pause
    endless                    the deltas again and again until the client leaves; with `burst` it never pauses
    split_utf8                 cuts each write within its first multibyte character
    ascii                      escapes everything but ASCII, as some servers do
    status                     answers with this HTTP status; with `fault=error` in a stream, the error of that status
    retry_after                seconds, a header of an error
    message                    the text of an error
    fault                      stall      nothing more comes, the connection stays open
                               error      the vendor's error event
                               drop       the connection is closed in mid-stream
                               reset      the connection is reset
                               bad_json   a frame that is no JSON, then the end
                               not_sse    an HTML page and bytes that are no text, then the end
                               end        the end without any terminator
    after                      the fault strikes after so many deltas; 0: right after the opening frame; -1: before the
                               headers
    finish                     the vendor's own word for how it ended; empty: none
    filtered                   ends the vendor's way of a filtered reply, with or without text
    refusal                    the text of a refusal (OpenAI's own field; a filtered reply elsewhere)
    usage                      false: no counts of tokens
    input_tokens,              the counts; an estimate (UTF-8 bytes / 4) where absent
    output_tokens
"""
