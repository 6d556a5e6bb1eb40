"""The signalR output binding against a REST API that records its calls."""

import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from tests.contract.host_app.harness import (
    ACCESS_KEY,
    APPS,
    FakeSignalR,
    Host,
    fake_signalr,
    running,
    settings,
)

pytestmark = pytest.mark.stack

VERSION = "api-version=2022-06-01"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, FakeSignalR]]:
    with (
        fake_signalr() as service,
        running(APPS / "core", tmp_path_factory.mktemp("host"), settings(service.port)) as host,
    ):
        yield host, service


@pytest.fixture
def host(stage: tuple[Host, FakeSignalR]) -> Host:
    return stage[0]


@pytest.fixture
def service(stage: tuple[Host, FakeSignalR]) -> FakeSignalR:
    stage[1].forget()
    return stage[1]


def push(host: Host, value: object) -> int:
    body = value if isinstance(value, str) else json.dumps(value)
    return host.call("POST", "/api/push", body).status


@pytest.mark.parametrize(
    ("item", "method", "path"),
    [
        ({"target": "t"}, "POST", "/api/hubs/chat/:send"),
        ({"target": "t", "connectionId": "c"}, "POST", "/api/hubs/chat/connections/c/:send"),
        ({"target": "t", "userId": "u"}, "POST", "/api/hubs/chat/users/u/:send"),
        ({"target": "t", "groupName": "a/b"}, "POST", "/api/hubs/chat/groups/a%2Fb/:send"),
        (
            {"Target": "t", "USERID": "u", "groupname": "g", "connectionId": "c"},
            "POST",
            "/api/hubs/chat/connections/c/:send",
        ),
        (
            {"userId": "u", "groupName": "g", "action": "add"},
            "PUT",
            "/api/hubs/chat/users/u/groups/g",
        ),
        (
            {"userId": "u", "groupName": "g", "action": "Remove"},
            "DELETE",
            "/api/hubs/chat/users/u/groups/g",
        ),
        ({"userId": "u", "action": "removeAll"}, "DELETE", "/api/hubs/chat/users/u/groups"),
        (
            {"connectionId": "c", "groupName": "g", "action": "add"},
            "PUT",
            "/api/hubs/chat/groups/g/connections/c",
        ),
        (
            {"connectionId": "c", "userId": "u", "groupName": "g", "action": "remove"},
            "DELETE",
            "/api/hubs/chat/groups/g/connections/c",
        ),
    ],
)
def test_an_item_becomes_one_call(
    host: Host, service: FakeSignalR, item: dict[str, str], method: str, path: str
) -> None:
    assert push(host, item) == 200

    [call] = service.calls
    assert (call.method, call.path, call.query) == (method, path, VERSION)


def test_a_message_s_body_is_pascal_case_json(host: Host, service: FakeSignalR) -> None:
    push(host, {"target": "posted", "arguments": [{"id": 1, "text": "é"}]})

    [call] = service.calls
    assert call.headers["Content-Type"] == "application/json; charset=utf-8"
    assert call.json == {"Target": "posted", "Arguments": [{"id": 1, "text": "é"}]}


def test_the_token_is_for_the_address_called(host: Host, service: FakeSignalR) -> None:
    push(host, {"target": "t"})

    [call] = service.calls
    url = f"http://127.0.0.1:{service.port}{call.path}?{call.query}"
    token = call.headers["Authorization"].removeprefix("Bearer ")
    assert "nameid" in jwt.decode(token, ACCESS_KEY, algorithms=["HS256"], audience=url)


def test_items_are_sent_in_order_one_after_another(host: Host, service: FakeSignalR) -> None:
    items: list[dict[str, Any]] = [{"userId": "u", "groupName": "g", "action": "add"}]
    items += [{"groupName": "g", "target": f"t{number}", "arguments": []} for number in range(5)]

    assert push(host, items) == 200

    assert [call.method for call in service.calls] == ["PUT"] + ["POST"] * 5
    assert [call.json["Target"] for call in service.calls[1:]] == [f"t{n}" for n in range(5)]


@pytest.mark.parametrize(
    "value",
    [
        "not json",
        "5",
        [1],
        [{"target": "t"}, None],
        {"arguments": []},
        {"action": "add", "groupName": "g"},
        {"action": "add", "userId": "u"},
        {"action": "rename", "userId": "u", "groupName": "g"},
    ],
)
def test_a_wrong_value_fails_the_function(host: Host, service: FakeSignalR, value: object) -> None:
    assert push(host, value) == 500


def test_remove_all_of_a_connection_does_nothing(host: Host, service: FakeSignalR) -> None:
    assert push(host, {"connectionId": "c", "action": "removeAll"}) == 200

    assert service.calls == []


def test_a_send_is_tried_again_after_a_503(host: Host, service: FakeSignalR) -> None:
    service.answers += [(503, None), (202, None)]

    assert push(host, {"target": "t"}) == 200

    assert len(service.calls) == 2


def test_after_three_repeats_the_function_has_failed(host: Host, service: FakeSignalR) -> None:
    service.answers += [(502, None)] * 4

    assert push(host, {"target": "t"}) == 500

    assert len(service.calls) == 4


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_what_a_send_is_not_repeated_for_fails_at_once(
    host: Host, service: FakeSignalR, status: int
) -> None:
    service.answers.append((status, None))

    assert push(host, {"target": "t"}) == 500

    assert len(service.calls) == 1


@pytest.mark.parametrize(
    ("action", "code", "status"),
    [
        ("add", "Error.Connection.NotExisted", 200),
        ("add", "Warning.User.NotExisted", 500),
        ("add", None, 500),
        ("remove", "Error.Connection.NotExisted", 500),
    ],
)
def test_only_the_known_404_is_passed_over(
    host: Host, service: FakeSignalR, action: str, code: str | None, status: int
) -> None:
    service.answers.append((404, code))

    assert push(host, {"connectionId": "c", "groupName": "g", "action": action}) == status


def test_a_failed_item_stops_those_behind_it(host: Host, service: FakeSignalR) -> None:
    service.answers.append((400, None))

    push(host, [{"target": "first"}, {"target": "second"}])

    assert [call.json["Target"] for call in service.calls] == ["first"]


def test_a_returned_dict_feeds_the_output_it_names(host: Host, service: FakeSignalR) -> None:
    sent = {"type": 1, "invocationId": "1", "target": "push", "arguments": []}

    reply = host.upstream("push", sent)

    assert json.loads(reply.body[:-1])["result"]["ok"] is True
    [call] = service.calls
    assert call.json == {"Target": "pushed", "Arguments": [1]}


def test_a_failed_output_is_an_error_for_the_caller(host: Host, service: FakeSignalR) -> None:
    service.answers.append((400, None))
    sent = {"type": 1, "invocationId": "1", "target": "push", "arguments": []}

    reply = host.upstream("push", sent)

    assert reply.status == 200
    assert "400" in json.loads(reply.body[:-1])["error"]
