"""Calls that are refused early cost their caller a token, and the log next to nothing."""

import logging
from collections import Counter

import pytest

from tests.integration.handlers.calls import App
from tests.unit.things import ANN, BOB, CAT, GROUP
from triggers import admission, decode, hub
from triggers import http_account as account
from triggers import http_conversations as conversations
from triggers import http_messages as messages

OTHER, SENDS = 200, 200  # bursts


@pytest.fixture(autouse=True)
def _fresh_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "refusals", admission.RefusalLog())


async def test_wrong_sends_over_the_hub_run_into_the_limit(app: App) -> None:
    wrong = {"conversationId": GROUP, "clientMessageId": "x", "body": 5}

    codes = [(await app.hub(hub.send_message, ANN, wrong))[0]["error"] for _ in range(SENDS + 100)]

    assert [one["code"] for one in codes] == ["invalid"] * SENDS + ["rate_limited"] * 100
    assert {one["clientMessageId"] for one in codes} == {"x"}
    assert all(one["retryAfterMs"] > 0 for one in codes[SENDS:])
    served, _ = await app.hub(hub.heartbeat, ANN, {})
    assert served["ok"]  # of another bucket


async def test_every_method_and_route_counts_what_it_refuses(app: App) -> None:
    codes: Counter[str] = Counter()
    methods = (hub.acknowledge, hub.heartbeat, hub.set_typing, hub.watch_presence)
    for _ in range(OTHER // 8):
        for method in methods:
            result, _ = await app.hub(method, ANN, "not an object")
            codes[result["error"]["code"]] += 1
        for answer in (
            await app.http(messages.sync, ANN, {"positions": {"x": "y"}}),
            await app.http(account.update_settings, ANN, {"preview": 3}),
            await app.http(account.block_user, ANN, method="PUT", route={"userId": ANN}),
            await app.http(
                conversations.get_conversation, ANN, method="GET", route={"conversationId": GROUP}
            ),
        ):
            codes[answer.body["code"]] += 1

    after = await app.http(messages.sync, ANN, {"positions": {"x": "y"}})
    others = await app.http(messages.sync, BOB, {"positions": {"x": "y"}})

    assert codes == {"invalid": OTHER // 8 * 7, "not_found": OTHER // 8}
    assert (after.status, others.status) == (429, 400)


async def test_a_flood_is_refused_before_its_arguments_are_read(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0

    def counted(fields: object, **_: object) -> object:
        nonlocal read
        read += 1
        return fields

    for _ in range(OTHER + 1):
        await app.hub(hub.heartbeat, ANN, {})
    monkeypatch.setattr(decode, "as_object", counted)

    for _ in range(50):
        result, _ = await app.hub(hub.heartbeat, ANN, {})
        assert result["error"]["code"] == "rate_limited"

    assert read == 0


async def test_a_flood_writes_a_line_a_second_for_each_user(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    monkeypatch.setattr(admission, "refusals", admission.RefusalLog(lambda: now))
    caplog.set_level(logging.INFO, logger="parley")

    for _ in range(60):
        await app.http(messages.sync, ANN, b"{")
        await app.http(messages.sync, CAT, b"{")
        await app.http(messages.sync, None, b"{")
    now = 1.0
    await app.http(messages.sync, ANN, b"{")
    await app.hub(hub.heartbeat, ANN, {})

    lines = [record.getMessage().split(" trace=")[0] for record in caplog.records]
    shown = [line.replace(line.split("duration_ms=")[1].split()[0], "N") for line in lines]
    assert shown == [
        "sync invalid duration_ms=N",
        "sync invalid duration_ms=N",
        "sync unauthenticated duration_ms=N",
        "sync invalid duration_ms=N refused_before=59",
        "heartbeat ok duration_ms=N",
    ]


def test_the_log_remembers_only_so_many_callers() -> None:
    now = 0.0
    log = admission.RefusalLog(lambda: now, most=1)

    assert [log.passes(), log.passes(), log.passes()] == [0, None, None]
    now = 2.0
    assert [log.passes(), log.passes()] == [2, None]
