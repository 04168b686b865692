"""A message goes out, and the reply comes in."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.conftest import Visit
from tests.page.visiting import Chat
from tests.services.server import LiveServer
from tests.simulator import Simulator


def test_it_shows_the_reply(anyones: Chat, simulator: Simulator) -> None:
    simulator.script(text="It is **noon**.")
    anyones.ask("What time is it?")
    expect(anyones.reply).to_have_text("It is noon.")


def test_it_stores_the_reply(anyones: Chat, simulator: Simulator) -> None:
    simulator.script(text="It is noon.")
    anyones.ask("What time is it?")
    assert [message["content"] for message in anyones.history()] == ["What time is it?", "It is noon."]


def test_it_shows_a_reply_while_it_grows(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="tick ", endless=True, delay=0.02)
    chat.say("Go on")
    expect(chat.reply).to_contain_text("tick tick tick tick")
    expect(chat.replies.last).to_have_attribute("aria-busy", "true")
    chat.press("Stop").wait()


def test_it_waits_visibly_for_the_first_word(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Here", first_delay=1)
    chat.say("Are you there?")
    expect(chat.reply).to_have_class("text waiting")
    chat.wait()


def test_it_goes_on_with_what_was_said(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Hello Ada.")
    chat.ask("I am Ada").ask("Who am I?")
    sent = [message["content"] for message in simulator.last("openai")["body"]["messages"]]
    assert sent[-3:] == ["I am Ada", "Hello Ada.", "Who am I?"]


def test_it_names_the_model_that_answered(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Hello")
    chat.ask("Hello")
    expect(chat.note).to_have_text("gpt-4o")


def test_it_names_the_model_of_a_reply_of_yesterday(anyones: Chat, simulator: Simulator) -> None:
    simulator.script(text="Hello")
    anyones.ask("Hello").reload()
    expect(anyones.note).to_have_text("gpt-4o")


def test_it_says_that_the_fallback_answered(chat: Chat, simulator: Simulator) -> None:
    simulator.script("openai", "gpt-4o", status=503)
    simulator.script(text="Hello")
    chat.ask("Hello")
    expect(chat.note).to_have_text("gpt-4o-mini (fallback)")


def test_it_asks_the_provider_that_is_chosen(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Bonjour")
    chat.page.get_by_label("Provider").select_option("claude")
    chat.ask("Hello")
    expect(chat.note).to_have_text("claude-3-5-sonnet-latest")


def test_it_keeps_every_character_of_a_message(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes")
    text = "  two\n\nlines <b>&amp; 👩‍👩‍👧 שלום "
    chat.ask(text)
    assert chat.said.inner_text() == text
    assert chat.history()[0]["content"] == text


def test_it_sends_a_message_once_however_often_it_is_pressed(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="Yes", first_delay=0.3)
    chat.page.get_by_label("Message", exact=True).fill("Only once")
    chat.page.evaluate("for (let i = 0; i < 5; i++) document.getElementById('composer').requestSubmit()")
    chat.wait()
    assert len(chat.history()) == 2


def test_it_sends_nothing_for_white_space(chat: Chat) -> None:
    chat.say(" \n ")
    expect(chat.said).to_have_count(0)


def test_it_keeps_the_next_message_while_a_reply_is_under_way(chat: Chat, simulator: Simulator) -> None:
    simulator.script(text="tick ", endless=True, delay=0.02)
    chat.say("First")
    expect(chat.reply).to_contain_text("tick")
    chat.say("Second")
    expect(chat.page.get_by_label("Message", exact=True)).to_have_value("Second")
    chat.press("Stop").wait()


def test_it_keeps_a_draft_over_a_reload(chat: Chat) -> None:
    chat.page.get_by_label("Message", exact=True).fill("Half a tho")
    chat.reload()
    expect(chat.page.get_by_label("Message", exact=True)).to_have_value("Half a tho")


def test_it_shows_a_conversation_that_another_client_began(
    visit: Visit, server: LiveServer, chat: Chat, simulator: Simulator
) -> None:
    simulator.script(text="It is noon.")
    chat.ask("What time is it?")
    guest = visit(server, chat.conversation_id)
    expect(guest.reply).to_have_text("It is noon.")
    expect(guest.page.locator("#title")).to_have_text("What time is it?")
