"""A database in which a table read as a whole is noticed: tens of thousands of rows, known to the planner.

Conversation `n` has the key n, the owner 1 + n % 200, a question with the key 2n - 1 and its reply with the key 2n. The
replies of the newest `UNDER_WAY` conversations are under way.
"""

from __future__ import annotations

from uuid import UUID

from django.core.management.color import no_style
from django.db import connection

from conversations import models
from conversations.models import User, Worker

CONVERSATIONS = 20_000
OWNERS = 200
UNDER_WAY = 4_000
WORKERS = [UUID(int=number) for number in range(1, 51)]
BIG = (
    *("conversation", "message", "attempt", "generation", "journalentry", "idempotencykey", "searchentry"),
    "dailyusage",
)
"""Tables that must never be read as a whole on the way of a request or of the housekeeping."""

POSTGRES = {
    "json": "'{}'::jsonb",
    "uuid": "('00000000-0000-0000-0000-' || lpad(to_hex(1 + n.i %% 50), 12, '0'))::uuid",
    "ago": "now() - n.i * interval '1 minute'",
    "today": "now() - n.i * interval '4.35 seconds'",
    "day": "DATE '2026-11-01' - (n.i / 50)::int",
    "words": "array_to_tsvector(ARRAY['§w' || n.i, owner.id || '§w' || n.i, '§common', owner.id || '§common'])",
}
SQLITE = {
    "json": "'{}'",
    "uuid": "printf('%%032x', 1 + n.i %% 50)",
    "ago": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-' || n.i || ' minutes')",
    "today": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-' || (n.i * 4.35) || ' seconds')",
    "day": "date('2026-11-01', '-' || (n.i / 50) || ' days')",
    "words": "' w' || n.i || ' common'",
}
STATEMENTS = (
    """
    INSERT INTO conversations_conversation (id, public_id, owner_id, title, opening, instructions, archived, created_at,
        last_activity_at, message_count, input_tokens, output_tokens, last_provider, last_model, last_status, metadata)
    SELECT n.i, 'c' || n.i, 1 + n.i %% {owners}, 'A title', '', '', FALSE, {ago}, {ago}, 2, 10, 20, 'gpt', 'gpt-4o',
        'complete', {json} FROM n
    """,
    """
    INSERT INTO conversations_message (id, public_id, conversation_id, parent_id, active, role, content, created_at,
        status, requested_provider, provider, model, finish_reason, error, input_tokens, output_tokens, usage_estimated,
        request_id, feedback_rating, feedback_comment, metadata)
    SELECT 2 * n.i - 1, 'q' || n.i, n.i, NULL, TRUE, 'user', 'w' || n.i || ' common', {ago}, 'complete', '', '', '',
        NULL, '', NULL, NULL, FALSE, '', '', '', {json} FROM n
    UNION ALL
    SELECT 2 * n.i, 'r' || n.i, n.i, 2 * n.i - 1, TRUE, 'assistant', CASE WHEN n.i > {first} THEN '' ELSE 'Yes' END,
        {ago}, CASE WHEN n.i > {first} THEN 'streaming' ELSE 'complete' END, 'gpt', 'gpt', 'gpt-4o', 'stop', '', 10, 20,
        FALSE, '', '', '', {json} FROM n
    """,
    """
    INSERT INTO conversations_attempt (message_id, provider, model, outcome, error, duration_ms)
    SELECT 2 * n.i, 'gpt', 'gpt-4o', 'complete', '', 100 FROM n WHERE n.i <= {first}
    """,
    """
    INSERT INTO conversations_generation (message_id, conversation_id, worker_id, state)
    SELECT 2 * n.i, n.i, {uuid}, 'running' FROM n WHERE n.i > {first}
    """,
    """
    INSERT INTO conversations_journalentry (message_id, position, text)
    SELECT 2 * n.i, 5 * p.i, 'word ' FROM n, n p WHERE n.i > {first} AND p.i <= 10
    """,
    """
    INSERT INTO conversations_idempotencykey (scope, key, route, body_hash, message_id, released, created_at)
    SELECT 'owner:' || (1 + n.i %% {owners}), 'key-' || n.i, 'chat/gpt', 'hash', 2 * n.i, FALSE, {today} FROM n
    """,
    """
    INSERT INTO conversations_searchentry (id, conversation_id, owner_id, words)
    SELECT 2 * n.i - 1, n.i, owner.id, {words} FROM n JOIN conversations_user owner ON owner.id = 1 + n.i %% {owners}
    """,
    """
    INSERT INTO conversations_dailyusage (day, owner_id, provider, model, requests, input_tokens, output_tokens, errors,
        fallbacks, ttft_100, ttft_250, ttft_500, ttft_1000, ttft_2500, ttft_5000, ttft_10000, ttft_more)
    SELECT {day}, n.i %% 50, 'gpt', 'gpt-4o', 1, 10, 20, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 FROM n
    """,
)


def fill() -> None:
    postgres = connection.vendor == "postgresql"
    User.objects.bulk_create(User(id=number, username=f"user-{number}") for number in range(1, OWNERS + 1))
    Worker.objects.bulk_create(Worker(id=each, host="elsewhere", pid=1, process_started=0) for each in WORKERS)
    words = {"owners": OWNERS, "first": CONVERSATIONS - UNDER_WAY, **(POSTGRES if postgres else SQLITE)}
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s)"
    with connection.cursor() as cursor:
        for statement in STATEMENTS:
            into, _, select = statement.partition("SELECT")
            cursor.execute(f"{into} {rows} SELECT {select}".format(**words), [CONVERSATIONS])
        ours = [getattr(models, name) for name in ("Conversation", "Message", "User")]
        for statement in connection.ops.sequence_reset_sql(no_style(), ours):
            cursor.execute(statement)
        cursor.execute("ANALYZE")
        if postgres:
            cursor.execute("SELECT gin_clean_pending_list('conversations_searchindex')")
