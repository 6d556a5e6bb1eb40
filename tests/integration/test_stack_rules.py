"""The supervisor's small rules, without a process."""

from pathlib import Path

import pytest

from local.common.keys import Keys
from local.common.settings import Ports
from local.stack.backoff import Backoff
from local.stack.environment import app_settings, overridden
from local.stack.logs import LogWatch, last_lines, log_path, rotate

KEYS = Keys("c==", "s", "b", "k==", "e", "m")


def test_a_process_that_cannot_live_is_started_ever_more_rarely() -> None:
    backoff = Backoff()

    pauses = [backoff.pause_s(lived_s=0.1) for _ in range(9)]

    assert pauses[:2] == [0, 0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 5


def test_a_process_that_lived_for_a_while_has_a_clean_record() -> None:
    backoff = Backoff()
    for _ in range(9):
        backoff.pause_s(lived_s=0.1)

    assert backoff.pause_s(lived_s=11) == 0
    assert backoff.failures == 1


def test_the_apps_settings_point_at_the_ports_of_the_stack() -> None:
    settings = app_settings(Ports(9000), KEYS, "vapid")

    assert settings["AzureSignalRConnectionString"] == (
        "Endpoint=http://127.0.0.1;Port=9002;AccessKey=s;Version=1.0;"
    )
    assert settings["CosmosConnection"] == (
        "AccountEndpoint=http://127.0.0.1:9003/;AccountKey=c==;"
    )
    assert settings["ServiceBusConnection"].startswith("Endpoint=sb://127.0.0.1:9004;")
    assert "UseDevelopmentEmulator=true" in settings["ServiceBusConnection"]
    assert "BlobEndpoint=http://127.0.0.1:9006/parley;" in settings["BlobConnection"]
    assert settings["CHAT_REDIS_URL"] == "redis://127.0.0.1:9005/0"
    assert settings["CHAT_JWT_JWKS_URL"] == "http://127.0.0.1:9000/dev/jwks"


def test_what_the_caller_set_otherwise_is_named() -> None:
    settings = {"CHAT_AUTH_MODE": "jwt", "CosmosConnection": "local", "CHAT_REDIS_URL": "local"}
    caller = {"CHAT_AUTH_MODE": "jwt", "CosmosConnection": "real", "HOME": "/x"}

    assert overridden(settings, caller) == ["CosmosConnection"]


def test_only_lines_that_speak_of_an_error_are_shown_and_each_once(tmp_path: Path) -> None:
    rotate(tmp_path, "host")
    log, watch = log_path(tmp_path, "host"), LogWatch(tmp_path, "host")
    log.write_text("10:00 host INFO no errors\n10:01 host ERROR it broke\n", encoding="utf-8")

    first, second = watch.serious_lines(), watch.serious_lines()
    with log.open("a", encoding="utf-8") as more:
        more.write("10:02 host CRITICAL again\n")

    assert first == ["10:01 host ERROR it broke"]
    assert second == []
    assert watch.serious_lines() == ["10:02 host CRITICAL again"]


def test_a_log_that_grows_too_large_is_cut_and_its_past_kept(tmp_path: Path) -> None:
    log, watch = log_path(tmp_path, "host"), LogWatch(tmp_path, "host")
    log.write_bytes(b"x" * (16 * 1024 * 1024 + 1))

    watch.serious_lines()

    assert log.stat().st_size == 0
    assert log.with_suffix(".log.1").stat().st_size > 16 * 1024 * 1024


def test_the_log_of_the_run_before_is_kept(tmp_path: Path) -> None:
    log_path(tmp_path, "host").write_text("one\n\ntwo\n", encoding="utf-8")

    rotate(tmp_path, "host")

    assert last_lines(tmp_path, "host", 5) == []
    assert log_path(tmp_path, "host").with_suffix(".log.1").read_text() == "one\n\ntwo\n"


@pytest.mark.parametrize(("count", "expected"), [(1, ["two"]), (9, ["one", "two"])])
def test_the_last_words_of_a_log_skip_empty_lines(
    tmp_path: Path, count: int, expected: list[str]
) -> None:
    log_path(tmp_path, "host").write_text("one\n\ntwo\n\n", encoding="utf-8")

    assert last_lines(tmp_path, "host", count) == expected
