"""What goes wrong is said, and can be tried again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from providers.simulator import server as simulator_server
from tests.conftest import StartServer
from tests.page.conftest import Visit
from tests.page.visiting import Chat
from tests.services.server import LiveServer
from tests.simulator import Simulator


@pytest.fixture(scope="module")
def impatient_server() -> Iterator[LiveServer]:
    """Waits a second for a vendor, and can be killed."""
    vendors = Simulator(simulator_server.ensure_running()).env()
    server = LiveServer(**vendors, PROVIDER_TIMEOUT="1", RATE_LIMIT="100000/h")
    yield server
    server.close()


def message_box(chat: Chat) -> str:
    return chat.page.get_by_label("Message", exact=True).input_value()


def test_it_says_that_both_models_failed(chat: Chat, simulator: Simulator) -> None:
    simulator.script("openai", status=503)
    chat.say("Hello")
    expect(chat.problem).to_contain_text("failed")
    expect(chat.said).to_have_text(["Hello"])
    expect(chat.replies).to_have_count(0)


def test_it_tries_again(chat: Chat, simulator: Simulator) -> None:
    simulator.script("openai", status=503, times=2)
    simulator.script("openai", text="Hello Ada")
    chat.say("Hello").press("Try again").wait()
    expect(chat.reply).to_have_text("Hello Ada")
    expect(chat.problem).to_be_hidden()
    assert [message["content"] for message in chat.history()] == ["Hello", "Hello Ada"]


def test_it_tries_another_provider(chat: Chat, simulator: Simulator) -> None:
    simulator.script("openai", status=503)
    simulator.script("anthropic", text="Hello Ada")
    chat.say("Hello")
    expect(chat.problem).to_be_visible()
    chat.page.get_by_label("Provider").select_option("claude")
    expect(chat.press("Try again").wait().reply).to_have_text("Hello Ada")
    assert len(chat.history()) == 2


def test_it_offers_to_answer_what_was_never_answered(chat: Chat, simulator: Simulator) -> None:
    simulator.script("openai", status=503, times=2)
    simulator.script("openai", text="Hello Ada")
    chat.say("Hello")
    expect(chat.problem).to_contain_text("failed")
    chat.reload().press("Try again").wait()
    expect(chat.reply).to_have_text("Hello Ada")


def test_it_keeps_the_text_of_a_reply_that_broke_off(chat: Chat, simulator: Simulator) -> None:
    simulator.script("openai", text="One two three four", fault="drop", after=2)
    chat.ask("Count")
    expect(chat.reply).to_have_text("One two")
    expect(chat.note).to_contain_text("The reply broke off")
    expect(chat.problem).to_be_visible()


def test_it_answers_anew_what_broke_off(chat: Chat, simulator: Simulator) -> None:
    simulator.script("openai", text="One two three four", fault="drop", after=2, times=1)
    simulator.script("openai", text="One two three four")
    chat.ask("Count").press("Try again").wait()
    expect(chat.reply).to_have_text("One two three four")
    expect(chat.replies.last).to_contain_text("2 / 2")


def test_it_says_when_the_limit_is_reached(start_server: StartServer, visit: Visit, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    chat = visit(start_server(**simulator.env("openai"), RATE_LIMIT="1/h"))
    chat.ask("One").say("Two")
    expect(chat.problem).to_contain_text("You have reached the limit of requests. Try again in")
    expect(chat.said).to_have_text(["One"])
    assert message_box(chat) == "Two"


def test_it_says_that_too_many_replies_are_under_way(
    start_server: StartServer, visit: Visit, simulator: Simulator
) -> None:
    simulator.script(text="tick ", endless=True, delay=0.05)
    chat = visit(start_server(**simulator.env("openai"), MAX_ACTIVE_GENERATIONS_PER_CALLER="1")).say("Go on")
    expect(chat.reply).to_contain_text("tick")
    chat.press("New conversation").say("And you")
    expect(chat.problem).to_contain_text("Too many replies of yours are under way: at most 1 at once")
    assert message_box(chat) == "And you"


def test_it_says_that_the_model_took_too_long(visit: Visit, impatient_server: LiveServer, simulator: Simulator) -> None:
    simulator.script(fault="stall")
    chat = visit(impatient_server).say("Hello")
    expect(chat.problem).to_contain_text("did not answer in time")
    expect(chat.page.get_by_role("button", name="Try again")).to_be_visible()


def test_it_shows_what_was_stored_when_the_server_died(
    visit: Visit, impatient_server: LiveServer, simulator: Simulator
) -> None:
    simulator.script(text="tick ", endless=True, delay=0.05)
    chat = visit(impatient_server).say("Go on")
    expect(chat.reply).to_contain_text("tick " * 20)
    impatient_server.kill()
    expect(chat.problem).to_contain_text("The connection is lost. The reply goes on")
    impatient_server.start()
    expect(chat.note).to_contain_text("The server stopped", timeout=60_000)
    assert chat.reply.inner_text().strip() == chat.stored_reply().strip()
    chat.watch.allow_lost_connections()


def test_it_keeps_a_message_that_the_server_did_not_get(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Hello Ada")
    chat.page.context.set_offline(True)
    chat.say("Hello")
    expect(chat.problem).to_contain_text("The connection is lost")
    assert message_box(chat) == "Hello"
    chat.page.context.set_offline(False)
    chat.page.get_by_label("Message", exact=True).press("Enter")
    expect(chat.wait().reply).to_have_text("Hello Ada")
    chat.watch.allow_lost_connections()


def test_it_asks_to_sign_in_again(member: Chat, simulator: Simulator) -> None:
    member.page.context.clear_cookies(name="sessionid")
    member.say("Hello")
    expect(member.problem).to_contain_text("You are signed out")
    assert message_box(member) == "Hello"
    member.press("Sign in")
    expect(member.page.get_by_label("Username")).to_be_visible()


def test_it_hides_what_was_read(chat: Chat, simulator: Simulator) -> None:
    simulator.script("openai", status=503)
    chat.say("Hello").press("Dismiss")
    expect(chat.problem).to_be_hidden()
