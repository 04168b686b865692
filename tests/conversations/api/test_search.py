"""`GET /chat/conversations?q=`: conversations by words."""

from __future__ import annotations

import pytest

from conversations import database
from conversations.models import SearchEntry, Status
from conversations.store import listing, search
from conversations.store.recovery import end_for_another
from conversations.words import LONGEST, MOST
from tests.conversations.api.people import Person, message
from tests.conversations.stored import a_turn, assistant, edit, end, start, user

PHRASES = {
    "weather": ("Will it rain in Zürich tomorrow?", "It will stay DRY, with a Föhn."),
    "code": ("Explain snake_case in Python3", "It is how `variable_names` are written, isn't it?"),
    "tokyo": ("東京都の天気を教えて", "晴れです。気温は２０度。"),
    "thai": ("สวัสดีครับ", "ยินดีต้อนรับ"),
    "hindi": ("हिन्दी में लिखो", "ज़रूर"),
    "german": ("Die Straße nach Weißenfels", "Um 17 Uhr"),
}


@pytest.fixture
def spoken(owner: Person) -> None:
    for name, pair in PHRASES.items():
        owner.says(pair, to=name)


async def test_it_finds_what_the_user_said(owner: Person, spoken: None) -> None:
    assert await owner.listed(q="rain") == ["weather"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tomorrow", "weather"),
        ("TOMO", "weather"),
        ("zürich", "weather"),
        ("ZU\u0308RICH", "weather"),
        ("föh", "weather"),
        ("dry", "weather"),
        ("case", "code"),
        ("variable", "code"),
        ("names", "code"),
        ("isn't", "code"),
        ("python3", "code"),
        ("東京", "tokyo"),
        ("京都", "tokyo"),
        ("天気を", "tokyo"),
        ("晴", "tokyo"),
        ("度", "tokyo"),
        ("20", "tokyo"),
        ("วัส", "thai"),
        ("हिन्दी", "hindi"),
        ("STRASSE", "german"),
        ("weißen", "german"),
        ("1", "german"),
    ],
)
async def test_it_finds_the_beginnings_of_words(owner: Person, spoken: None, query: str, found: str) -> None:
    assert await owner.listed(q=query) == [found]


@pytest.mark.parametrize("query", ["ain", "omorrow", "raining", "京東", "zurich", "asse", "Uhrwerk"])
async def test_it_finds_no_other_part_of_a_word(owner: Person, spoken: None, query: str) -> None:
    assert await owner.listed(q=query) == []


async def test_every_word_must_occur(owner: Person, spoken: None) -> None:
    assert await owner.listed(q="rain snow") == []


async def test_words_may_stand_in_different_messages(owner: Person, spoken: None) -> None:
    assert await owner.listed(q="föhn rain") == ["weather"]


@pytest.mark.parametrize(
    "query",
    [
        *("rain OR snow", "rain NOT dry", "NEAR(rain dry)", "rain AND snow", "words:rain", "-rain snow", "^snow rain"),
        *("snow*", '"rain snow"', "'", '"', "\\", "snow')--", "%", "_", "*", "§", "🎉", "()", "\0snow", "\u202esnow"),
        *("a" * 200, "東" * 200, "x " * 100, "{}[]:;<>&|!", "🎉 snow", "1§rain", "rain§1"),
    ],
)
async def test_operators_mean_nothing(owner: Person, spoken: None, query: str) -> None:
    assert await owner.listed(q=query) == []


@pytest.mark.parametrize("query", ['"rain"', "rain*", "(rain)", "rain!", "rain & dry", "-rain", "rain:*", "  rain  "])
async def test_what_stands_around_a_word_means_nothing(owner: Person, spoken: None, query: str) -> None:
    assert await owner.listed(q=query) == ["weather"]


@pytest.mark.parametrize("query", ["", "   ", "\t\n"])
async def test_an_empty_query_is_none(owner: Person, spoken: None, query: str) -> None:
    assert len(await owner.listed(q=query)) == len(PHRASES)


@pytest.mark.parametrize("text", ["An answer", ""])
async def test_it_finds_what_was_asked_once_the_reply_has_ended(owner: Person, text: str) -> None:
    begun = await database.write(start, a_turn("Of voles", owner_id=owner.owner_id))
    assert await owner.listed(q="vole") == []
    await database.write(end, begun, text, Status.COMPLETE if text else Status.FAILED)
    assert await owner.listed(q="vole") == ["session-1"]


async def test_it_finds_what_was_asked_of_a_worker_that_is_gone(owner: Person) -> None:
    said = (user("Of voles"), assistant("I know of some"), user("And of shrews"))
    begun = await database.write(start, a_turn(*said, owner_id=owner.owner_id))
    await database.write(end_for_another, begun.message_pk, Status.INTERRUPTED)
    for word in ("vole", "know", "shrew"):
        assert await owner.listed(q=word) == ["session-1"]


async def test_it_finds_nothing_of_others(teammate: Person, spoken: None) -> None:
    assert await teammate.listed(q="rain") == []


async def test_it_finds_nothing_of_owners_whose_number_begins_alike(teammate: Person, owner: Person) -> None:
    assert await teammate.listed(q=f"{owner.owner_id}§rain") == []


@pytest.fixture
def branched(owner: Person) -> None:
    owner.says(("Tell me of otters", "They swim"))
    end(start(edit(message("Tell me of otters").public_id, "Tell me of badgers", owner_id=owner.owner_id)), "They dig")


@pytest.mark.parametrize("query", ["otter", "badger", "swim"])
async def test_it_finds_what_any_branch_says(owner: Person, branched: None, query: str) -> None:
    assert await owner.listed(q=query) == ["session-1"]


@pytest.fixture
def partial(owner: Person) -> None:
    end(start(a_turn("Question", owner_id=owner.owner_id)), "half an answer", "cancelled")


async def test_it_finds_what_was_answered_until_it_was_cancelled(owner: Person, partial: None) -> None:
    assert await owner.listed(q="half") == ["session-1"]


async def test_it_finds_the_title(owner: Person, spoken: None) -> None:
    await owner.call("PATCH", "/chat/conversations/weather", json={"title": "Umbrellas"})
    assert await owner.listed(q="umbrella rain") == ["weather"]


async def test_it_forgets_the_title_before(owner: Person, spoken: None) -> None:
    for title in ("Umbrellas", "Sunglasses"):
        await owner.call("PATCH", "/chat/conversations/weather", json={"title": title})
    assert await owner.listed(q="umbrella") == []


async def test_it_searches_the_archive_alone(owner: Person, spoken: None) -> None:
    await owner.call("PATCH", "/chat/conversations/weather", json={"archived": True})
    assert [await owner.listed(q="rain"), await owner.listed(q="rain", archived="true")] == [[], ["weather"]]


async def test_it_forgets_what_was_deleted(owner: Person, spoken: None) -> None:
    await owner.call("DELETE", "/chat/conversations/weather")
    assert await owner.listed(q="rain") == []


@pytest.fixture
def forty(owner: Person) -> list[str]:
    for at in range(40):
        owner.says((f"common {'even' if at % 2 == 0 else 'odd'} {at}", "other"), to=f"c{at}")
    return [f"c{at}" for at in reversed(range(40))]


@pytest.mark.parametrize("query", ["common", "o", "com oth"])
async def test_results_come_in_pages(owner: Person, forty: list[str], query: str) -> None:
    pages = await owner.all_pages(q=query, limit=15)
    assert [each for page in pages for each in page] == forty


@pytest.fixture
def everything_is_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "CANDIDATES", 10)
    monkeypatch.setattr(listing, "WALKED", 5)


@pytest.mark.parametrize("limit", [1, 4, 15])
async def test_common_words_are_walked_through_to_the_end(
    owner: Person, forty: list[str], everything_is_common: None, limit: int
) -> None:
    pages = await owner.all_pages(q="common even", limit=limit)
    assert [each for page in pages for each in page] == [name for name in forty if int(name[1:]) % 2 == 0]


async def test_a_rare_word_is_found_beside_a_common_one(
    owner: Person, forty: list[str], everything_is_common: None
) -> None:
    assert await owner.listed(q="common 7") == ["c7"]


async def test_a_common_short_word_is_walked_through(
    owner: Person, forty: list[str], everything_is_common: None
) -> None:
    pages = await owner.all_pages(q="odd", limit=4)
    assert [each for page in pages for each in page] == [name for name in forty if int(name[1:]) % 2]


async def test_an_owners_rare_word_is_rare_however_common_with_others(
    owner: Person, teammate: Person, forty: list[str], everything_is_common: None
) -> None:
    await database.write(teammate.says, ("common", "once"), to="mine")
    assert await database.read(search.rare, ["common"], teammate.owner_id) is not None


async def test_words_are_found_among_everybodys(owner: Person, teammate: Person, spoken: None) -> None:
    await database.write(teammate.says, ("rain again", "yes"), to="mine")
    assert len((await database.read(search.found_among_all, ["rain"], 50)).keys) == 2


def test_the_largest_text_can_be_indexed(owner: Person) -> None:
    """As many different words as are indexed, all as long as they may be, in letters of four bytes each."""
    letters = [chr(0x10428 + at) for at in range(10)]
    numbers = (f"{number:0{LONGEST}d}" for number in range(MOST + 1))
    text = " ".join("".join(letters[int(digit)] for digit in number) for number in numbers)
    owner.says(("Hello", text))
    assert SearchEntry.objects.count() == 2
