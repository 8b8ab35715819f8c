"""Signing in, sessions, names, and the limit on guessing."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.auth import COOKIE, LABEL_LENGTH, SESSION_SECONDS, Doorkeeper, Guesses, is_loopback, operator_name
from bot.web.texts import Denied
from tests.web.conftest import BEARER, OPERATOR_TOKEN, OVERLAY_TOKEN, Client, Site


async def sign_in(client: Client, token: str = OPERATOR_TOKEN, **more: str) -> Any:
    return await client.post("/login", json={"token": token, **more})


def doorkeeper(token: str = OPERATOR_TOKEN, **settings: Any) -> Doorkeeper:
    return Doorkeeper(token, OVERLAY_TOKEN, **settings)


async def test_the_token_becomes_a_cookie(stranger: Client, site: Site) -> None:
    """One that scripts cannot read, that other sites' pages do not bring, and that is not the token."""
    answer = await sign_in(stranger)
    assert answer.status == 200
    cookie = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Strict" and cookie["path"] == "/"
    assert int(cookie["max-age"]) == SESSION_SECONDS
    assert OPERATOR_TOKEN not in answer.headers["Set-Cookie"]
    assert (await stranger.get("/api/state")).status == 200
    assert (await stranger.post("/api/stop", headers={"Origin": str(stranger.make_url("/")).rstrip("/")})).status == 200
    assert site.show.calls == [("stop", "operator")]


async def test_whoever_signs_in_may_say_who(stranger: Client, site: Site) -> None:
    """The name stands in the record of every decision."""
    await sign_in(stranger, label="  小王\n\u202e ")
    await stranger.post("/api/stop")
    assert site.show.calls == [("stop", "小王")]


@pytest.mark.parametrize("token", ["", "wrong", OVERLAY_TOKEN, OPERATOR_TOKEN + " ", OPERATOR_TOKEN[:-1], "令牌"])
async def test_a_wrong_token_signs_nobody_in(stranger: Client, token: str) -> None:
    """Neither the overlay's nor nearly the right one."""
    answer = await sign_in(stranger, token)
    assert (answer.status, (await answer.json())["error"]) == (401, "wrong_token")
    assert "Set-Cookie" not in answer.headers


async def test_a_cookie_outlives_a_restart_but_not_the_token(open_client: Any) -> None:
    """People stay signed in while the program is started again; a new token signs everybody out."""
    cookie = (await sign_in(await open_client())).cookies[COOKIE].value
    restarted = await open_client(headers={"Cookie": f"{COOKIE}={cookie}"})
    assert (await restarted.get("/api/state")).status == 200
    renewed = await open_client(headers={"Cookie": f"{COOKIE}={cookie}"}, operator_token="another")
    answer = await renewed.get("/api/state")
    assert answer.status == 401
    assert SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]["max-age"] == "0", "the browser should forget it"


@pytest.mark.parametrize("change", ["", "x", ".", "..", "a.b.c", "\udcff", "b3A.9999999999.", OPERATOR_TOKEN])
async def test_a_cookie_that_we_did_not_sign_opens_nothing(stranger: Client, change: str) -> None:
    """Whatever stands in it."""
    header = f"{COOKIE}={change}".encode("utf-8", "surrogateescape").decode("latin-1")
    answer = await stranger.get("/api/state", headers={"Cookie": header})
    assert answer.status == 401


def test_a_cookie_ends() -> None:
    """After its time, to the second; and nobody can give it more."""
    now = [1000.0]
    keeper = doorkeeper(clock=lambda: now[0])
    cookie = keeper.sign_in(OPERATOR_TOKEN, "Anna", "127.0.0.1")
    assert keeper._name_in(cookie) == "Anna"
    now[0] += SESSION_SECONDS - 1
    assert keeper._name_in(cookie) == "Anna"
    now[0] += 1
    assert keeper._name_in(cookie) is None
    name, expires, signature = cookie.split(".")
    assert keeper._name_in(f"{name}.{int(expires) + 1}.{signature}") is None
    assert keeper._name_in(f"Qm9i.{expires}.{signature}") is None


@pytest.mark.parametrize("value", [f"bearer {OPERATOR_TOKEN}", f"Bearer  {OPERATOR_TOKEN}"])
async def test_bearer_as_programs_write_it(stranger: Client, value: str) -> None:
    """The scheme's case does not matter."""
    assert (await stranger.get("/api/state", headers={"Authorization": value})).status == 200


@pytest.mark.parametrize(
    "value", [OPERATOR_TOKEN, f"Basic {OPERATOR_TOKEN}", "Bearer", "Bearer ", f"Bearer {OVERLAY_TOKEN}", ""]
)
async def test_a_wrong_bearer_is_refused_even_beside_a_good_cookie(stranger: Client, value: str) -> None:
    """What was said aloud counts."""
    await sign_in(stranger)
    assert (await stranger.get("/api/state", headers={"Authorization": value})).status == 401


async def test_guessing_at_the_form_is_429(stranger: Client) -> None:
    """Ten wrong ones a minute; then even the right one has to wait, and is told for how long."""
    statuses = [(await sign_in(stranger, "wrong")).status for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    answer = await sign_in(stranger)
    assert answer.status == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert (await answer.json())["error"] == "too_many_attempts"


async def test_the_limit_cannot_be_walked_around(stranger: Client) -> None:
    """A guess is a guess, whether it comes by the form, as Bearer or as a cookie."""
    for i in range(5):
        assert (await stranger.get("/api/state", headers={"Authorization": f"Bearer {i}"})).status == 401
        assert (await stranger.get("/api/state", headers={"Cookie": f"{COOKIE}=a.{i}.b"})).status == 401
    assert (await stranger.get("/api/state", headers=BEARER)).status == 429
    assert (await sign_in(stranger)).status == 429


async def test_whoever_is_in_stays_in(stranger: Client, site: Site) -> None:
    """A guesser at the same address cannot take the emergency stop from the person at the panel."""
    await sign_in(stranger)
    for _ in range(12):
        await sign_in(stranger, "wrong")
    assert (await sign_in(stranger)).status == 429
    assert (await stranger.post("/api/stop")).status == 200


async def test_an_old_cookie_does_not_lock_the_form(stranger: Client) -> None:
    """A page that keeps reconnecting with the cookie of an old token has guessed once, not often."""
    for _ in range(30):
        assert (await stranger.get("/api/state", headers={"Cookie": f"{COOKIE}=old.1.session"})).status == 401
    assert (await sign_in(stranger)).status == 200


async def test_rubbish_for_the_overlay_does_not_lock_the_form(stranger: Client) -> None:
    """Any page can open the overlay's address with nonsense in it."""
    for i in range(12):
        answer = await stranger.get(f"/overlay?token={i}")
    assert answer.status == 429
    assert (await sign_in(stranger)).status == 200


def test_the_limit_passes_with_time() -> None:
    """The window slides: one old guess less, one new guess more."""
    now = [0.0]
    guesses = Guesses(limit=2, window=60, clock=lambda: now[0])
    guesses.wrong("a", b"1", typed=True)
    now[0] = 30
    guesses.wrong("a", b"2", typed=True)
    assert guesses.seconds_to_wait("a") == 30
    assert guesses.seconds_to_wait("b") == 0
    now[0] = 60
    assert guesses.seconds_to_wait("a") == 0
    guesses.wrong("a", b"3", typed=True)
    assert guesses.seconds_to_wait("a") == 30


def test_guesses_are_bounded() -> None:
    """Whoever guesses from many addresses does not fill the memory."""
    guesses = Guesses(limit=2)
    for i in range(3 * Guesses.ADDRESSES):
        guesses.wrong(str(i), b"x", typed=True)
        guesses.wrong("one", str(i).encode(), typed=False)
    assert len(guesses._wrong) == Guesses.ADDRESSES
    assert len(guesses._wrong["one"]) == 2


def test_two_different_tokens_are_needed() -> None:
    """An empty token would let everybody in, and one for both would put the panel into OBS."""
    for operator, overlay in (("", "b"), ("a", ""), ("a", "a")):
        with pytest.raises(ValueError, match="different"):
            Doorkeeper(operator, overlay)


def test_wrong_tokens_are_told_apart_from_none() -> None:
    """The page can then say which."""
    with pytest.raises(Denied) as denied:
        doorkeeper().sign_in("x", "", "127.0.0.1")
    assert denied.value.code == "wrong_token"


@given(st.text(max_size=60))
def test_names_are_fit_for_the_panel(label: str) -> None:
    """One line, visible, not long, never empty; and cleaning twice changes nothing."""
    name = operator_name(label)
    assert 1 <= len(name) <= LABEL_LENGTH
    assert name.isprintable() and name == name.strip()
    assert operator_name(name) == name


@given(st.text(max_size=60))
def test_any_name_survives_the_cookie(label: str) -> None:
    """What was typed at the form is what stands in the record."""
    keeper = doorkeeper()
    assert keeper._name_in(keeper.sign_in(OPERATOR_TOKEN, label, "127.0.0.1")) == operator_name(label)


@given(st.text(max_size=80))
def test_no_text_is_a_cookie(text: str) -> None:
    """Only what we signed has a name in it, and nothing makes the check fail."""
    assert doorkeeper()._name_in(text) is None


@pytest.mark.parametrize(
    ("address", "here"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("192.168.1.2", False), ("", False), ("x", False)],
)
def test_this_machine(address: str, here: bool) -> None:
    """In every way that a socket writes it."""
    assert is_loopback(address) is here
