"""The SignalR webhook: statuses, the trigger's JSON, completions."""

import json
from collections.abc import Iterator

import msgpack  # type: ignore[import-untyped]  # the package ships no types
import pytest

from tests.contract.host_app.harness import APPS, Host, running, settings, signature

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running(APPS / "core", tmp_path_factory.mktemp("host"), settings(9)) as started:
        yield started


def message(target: str, *arguments: object, invocation_id: str | None = "7") -> dict[str, object]:
    sent: dict[str, object] = {"type": 1, "target": target, "arguments": list(arguments)}
    return sent if invocation_id is None else {**sent, "invocationId": invocation_id}


def test_the_function_gets_the_extension_s_json_in_its_order(host: Host) -> None:
    headers = {
        "X-ASRS-User-Id": "ada",
        "X-ASRS-User-Claims": "asrs.s.uid: ada, a: one, a: two, torn: x: y, alone",
        "X-ASRS-Client-Query": "?hub=chat&id=T&x=1&x=2",
    }

    reply = host.upstream("echo", message("echo", "a", 2, {"b": None}), headers)

    assert reply.status == 200
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.body.endswith(b"\x1e")
    completion = json.loads(reply.body[:-1])
    assert (completion["type"], completion["invocationId"]) == (3, "7")
    seen = completion["result"]["seen"]
    assert list(seen) == [
        *("Arguments", "Error", "Category", "Event", "Hub", "ConnectionId"),
        *("UserId", "Headers", "Query", "Claims"),
    ]
    assert seen["Arguments"] == ["a", 2, {"b": None}]
    assert seen["Error"] is None
    assert (seen["Category"], seen["Event"], seen["Hub"]) == ("messages", "echo", "chat")
    assert (seen["ConnectionId"], seen["UserId"]) == ("CID-0001", "ada")
    assert seen["Query"] == {"hub": "chat", "id": "T", "x": "1,2"}
    assert seen["Claims"] == {"asrs.s.uid": "ada", "a": "one"}
    assert seen["Headers"]["X-ASRS-Connection-Id"] == "CID-0001"
    assert "Host" in seen["Headers"]
    assert "Content-Type" not in seen["Headers"]


def test_what_is_absent_is_null(host: Host) -> None:
    seen = json.loads(host.upstream("echo", message("echo")).body[:-1])["result"]["seen"]

    assert (seen["UserId"], seen["Query"], seen["Claims"]) == (None, None, None)


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        ("true", b"1"),
        ("text", b'"text"'),
        ("none", b"null"),
        ("list", b'[1,{"a":null}]'),
        ("half", b"0.5"),
    ],
)
def test_results_are_encoded_as_the_real_host_does(host: Host, kind: str, result: bytes) -> None:
    reply = host.upstream("give", message("give", kind))

    assert reply.body == b'{"type":3,"invocationId":"7","result":' + result + b"}\x1e"


def test_a_failure_reaches_the_client_with_its_traceback(host: Host) -> None:
    reply = host.upstream("give", message("give", "unknown"))

    assert reply.status == 200
    error = json.loads(reply.body[:-1])["error"]
    assert error.startswith("Result: Failure\nException: KeyError('unknown')\nStack: Traceback")


def test_a_send_is_answered_with_nothing_also_when_it_fails(host: Host) -> None:
    for kind in ("text", "unknown"):
        reply = host.upstream("give", message("give", kind, invocation_id=None))

        assert (reply.status, reply.body) == (200, b"")


def test_messagepack_is_answered_in_messagepack(host: Host) -> None:
    body = msgpack.packb([1, {}, "9", "give", ["list"], []])

    reply = host.upstream("give", body, {"Content-Type": "application/x-msgpack"})

    assert reply.headers["content-type"] == "application/x-msgpack"
    assert reply.body[0] == len(reply.body) - 1
    assert msgpack.unpackb(reply.body[1:]) == [3, {}, "9", 3, [1, {"a": None}]]


def test_a_messagepack_failure_is_an_error_completion(host: Host) -> None:
    body = msgpack.packb([1, {}, "9", "give", ["unknown"], []])

    reply = host.upstream("give", body, {"Content-Type": "application/x-msgpack"})

    # The traceback is longer than 127 bytes, so its length takes two.
    length = reply.body[0] & 0x7F | reply.body[1] << 7
    assert length == len(reply.body) - 2
    assert msgpack.unpackb(reply.body[2:])[:4] == [3, {}, "9", 1]


@pytest.mark.parametrize("hub", ["chat", "CHAT", "Chat"])
def test_hub_category_and_event_compare_without_case(host: Host, hub: str) -> None:
    reply = host.upstream("give", message("give", "text"), {"X-ASRS-Hub": hub})

    assert reply.status == 200


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (415, {"Content-Type": "text/plain"}),
        (415, {"Content-Type": None}),
        (500, {"X-ASRS-Hub": None}),
        (500, {"X-ASRS-Event": None}),
        (400, {"X-ASRS-Hub": ""}),
        (400, {"X-ASRS-Category": ""}),
        (404, {"X-ASRS-Hub": "other"}),
        (404, {"X-ASRS-Event": "unknown"}),
        (401, {"X-ASRS-Signature": None}),
        (401, {"X-ASRS-Signature": "sha256=00"}),
        (401, {"X-ASRS-Connection-Id": "CID-0002"}),
    ],
)
def test_a_wrong_call_is_refused(host: Host, status: int, headers: dict[str, str | None]) -> None:
    assert host.upstream("give", message("give", "text"), headers).status == status


@pytest.mark.parametrize("code", ["", "wrong"])
def test_without_the_system_key_nothing_runs(host: Host, code: str) -> None:
    assert host.upstream("give", message("give", "text"), code=code).status == 401


def test_another_connection_s_own_signature_is_good(host: Host) -> None:
    headers = {"X-ASRS-Connection-Id": "other", "X-ASRS-Signature": signature("other")}

    assert host.upstream("give", message("give", "text"), headers).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"type":1,"target":"give"}',
        b'{"type":1,"target":"other","arguments":[]}',
        b'{"type":1,"target":5,"arguments":[]}',
        b'{"type":1,"invocationId":5,"target":"give","arguments":[]}',
        b'{"type":"1","target":"give","arguments":[]}',
        b'{"type":10}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_500_and_runs_nothing(host: Host, body: bytes) -> None:
    before = host.get("/_control/metrics")["functions"]["invoke_give"]["invocations"]

    assert host.upstream("give", body).status == 500
    after = host.get("/_control/metrics")["functions"]["invoke_give"]["invocations"]
    assert after == before


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x91", msgpack.packb([1, {}, "1"])])
def test_what_is_no_messagepack_message_is_500(host: Host, body: bytes) -> None:
    reply = host.upstream("give", body, {"Content-Type": "application/x-msgpack"})

    assert reply.status == 500


def test_the_number_of_arguments_must_fit_the_parameter_names(host: Host) -> None:
    good = host.upstream("pair", message("pair", 1, 2))
    bad = host.upstream("pair", message("pair", 1))

    assert json.loads(good.body[:-1])["result"] == "two"
    assert "error" in json.loads(bad.body[:-1])


def test_connected_is_200_or_403_when_the_function_fails(host: Host) -> None:
    let_in = host.upstream(
        "connected", {"type": 10}, {"X-ASRS-User-Id": "ada"}, category="connections"
    )
    kept_out = host.upstream(
        "connected", {"type": 10}, {"X-ASRS-User-Id": "nobody"}, category="connections"
    )

    assert (let_in.status, let_in.body) == (200, b"")
    assert (kept_out.status, kept_out.body) == (403, b"")


@pytest.mark.parametrize(
    "body", [{"type": 11}, {"Type": 11, "Error": "gone"}, {"type": 11, "error": None}]
)
def test_disconnected_is_200_whatever_the_function_does(
    host: Host, body: dict[str, object]
) -> None:
    assert host.upstream("disconnected", body, category="connections").status == 200


def test_iso_dates_are_rewritten_as_azure_does(host: Host) -> None:
    sent = ["2026-01-02T03:04:05.100Z", "2026-01-02T03:04:05+02:00", {"at": "2026-01-02"}]

    reply = host.upstream("echo", message("echo", *sent))

    seen = json.loads(reply.body[:-1])["result"]["seen"]["Arguments"]
    assert seen == ["2026-01-02T03:04:05.1Z", "2026-01-02T01:04:05+00:00", {"at": "2026-01-02"}]
