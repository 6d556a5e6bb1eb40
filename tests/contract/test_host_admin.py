"""Admin calls, timers, and the triggers that fire through the admin call alone."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract.host_app.harness import APPS, Host, running, settings, until

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running(APPS / "core", tmp_path_factory.mktemp("host"), settings(9)) as started:
        yield started


def fired(host: Host) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = host.get("/api/process")["fired"]
    return seen


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/functions"),
        ("GET", "/admin/host/status"),
        ("GET", "/admin/host/keys"),
        ("POST", "/admin/functions/rows"),
    ],
)
def test_admin_calls_need_the_master_key(host: Host, method: str, path: str) -> None:
    other = {"x-functions-key": host.keys.signalr_extension}

    assert host.call(method, path).status == 401
    assert host.call(method, path, headers=other).status == 401


def test_functions_are_listed_with_their_bindings(host: Host) -> None:
    listed = host.call("GET", f"/admin/functions?code={host.keys.host_master}").json

    by_name = {each["name"]: each["config"]["bindings"] for each in listed}
    assert by_name["negotiate"][1]["type"] in {"signalRConnectionInfo", "httpTrigger", "http"}
    assert {"rows", "ticking", "warm", "connected"} <= by_name.keys()


def test_the_state_of_the_host_is_shown(host: Host) -> None:
    shown = host.call("GET", f"/admin/host/status?code={host.keys.host_master}").json

    assert shown["state"] == "Running"


def test_the_input_of_an_admin_call_is_the_trigger_s_value(host: Host) -> None:
    row = {"Operation": 0, "Item": {"Id": 1}}

    assert host.admin("ROWS", json.dumps([row])) == 200
    assert host.admin("scanned", json.dumps({"id": "1", "data": {"verdict": "clean"}})) == 200

    assert {"rows": [row]} in fired(host)
    assert {"event": {"verdict": "clean"}} in fired(host)


def test_without_waiting_the_answer_is_202(host: Host) -> None:
    marker = [{"marker": "202"}]

    assert host.admin("rows", json.dumps(marker), wait=False) == 202

    until(lambda: {"rows": marker} in fired(host))


def test_a_function_that_fails_is_500_to_who_waits(host: Host) -> None:
    assert host.admin("rows", "no json") == 500


def test_an_unknown_function_is_404_and_an_http_function_is_400(host: Host) -> None:
    assert host.admin("unknown") == 404
    assert host.admin("echo") == 400


@pytest.mark.parametrize("body", ["{", "[]", '{"input": 5}'])
def test_a_body_of_another_shape_is_400(host: Host, body: str) -> None:
    headers = {"x-functions-key": host.keys.host_master}

    assert host.call("POST", "/admin/functions/rows", body, headers).status == 400


def test_a_timer_can_be_run_by_hand(host: Host) -> None:
    assert host.admin("ticking") == 200

    assert {"timer": False} in fired(host)


def test_a_timer_fires_on_its_schedule(tmp_path: Path) -> None:
    with running(APPS / "core", tmp_path, {**settings(9), "TICKING": "* * * * * *"}) as host:
        seen = until(lambda: fired(host)[1:])

        assert set(map(str, seen)) == {"{'timer': False}"}


def test_running_at_the_start_takes_no_occurrence_away(host: Host) -> None:
    kept = host.directory / "host" / "timers" / "starting.json"

    status = json.loads(until(lambda: kept.read_text() if kept.exists() else ""))

    assert host.get("/_control/metrics")["functions"]["starting"]["invocations"] == 1
    assert datetime.fromisoformat(status["Next"]).year == datetime.now(UTC).year + 1


def test_an_occurrence_missed_while_the_host_was_down_is_made_up_for(tmp_path: Path) -> None:
    kept = tmp_path / "host" / "timers" / "ticking.json"
    with running(APPS / "core", tmp_path, settings(9)) as host:
        status = json.loads(until(lambda: kept.read_text() if kept.exists() else ""))
        assert fired(host) == []
    status["Next"] = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    kept.write_text(json.dumps(status))

    with running(APPS / "core", tmp_path, settings(9)) as host:
        assert until(lambda: fired(host)) == [{"timer": True}]
        assert datetime.fromisoformat(json.loads(kept.read_text())["Next"]) > datetime.now(UTC)


def test_warmup_has_run_before_the_first_call(host: Host) -> None:
    assert host.get("/api/process")["warmedUp"] == 1


def test_counters_are_kept_for_each_function(host: Host) -> None:
    before = host.get("/_control/metrics")["functions"]["text"]
    host.call("GET", "/api/text")

    after = host.get("/_control/metrics")["functions"]["text"]

    assert after == {"invocations": before["invocations"] + 1, "failures": 0}
