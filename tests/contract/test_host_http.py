"""HTTP functions: routes, keys, what the function sees, what the caller gets."""

import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from tests.contract.host_app.harness import ACCESS_KEY, APPS, Host, running, settings, until

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running(APPS / "core", tmp_path_factory.mktemp("host"), settings(9)) as started:
        yield started


def test_the_function_sees_the_request_as_it_was_sent(host: Host) -> None:
    reply = host.call(
        "PUT", "/api/echo/a%20b/caf%C3%A9?x=1&x=2&empty=&y=%26", b"\x00\xff", {"X-Probe": "p"}
    )

    seen = reply.json
    assert reply.status == 200
    assert seen == {
        "method": "PUT",
        "url": f"http://127.0.0.1:{host.ports.host}/api/echo/a%20b/caf%C3%A9?x=1&x=2&empty=&y=%26",
        "route": {"first": "a b", "second": "café"},
        "query": {"x": "1,2", "y": "&"},
        "header": "p",
        "body": "\x00\xff",
    }


def test_an_encoded_slash_does_not_split_a_segment(host: Host) -> None:
    assert host.get("/api/echo/a%2Fb/c")["route"] == {"first": "a%2Fb", "second": "c"}


def test_an_encoded_line_break_is_part_of_a_segment(host: Host) -> None:
    assert host.get("/api/echo/a%0Ab")["route"] == {"first": "a\nb"}


@pytest.mark.parametrize("path", ["/api/echo/one", "/api/ECHO/one/", "/api/Echo/one"])
def test_case_and_a_trailing_slash_do_not_matter(host: Host, path: str) -> None:
    assert host.get(path)["route"] == {"first": "one"}


def test_a_literal_beats_a_parameter(host: Host) -> None:
    assert host.call("GET", "/api/echo/literal").body == b"literal"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/unknown"),
        ("GET", "/echo/one"),
        ("GET", "/api/echo"),
        ("GET", "/api/echo/one/two/three"),
        ("DELETE", "/api/echo/one"),
        ("GET", "/api/numbered/x1"),
    ],
)
def test_no_function_for_path_and_method_is_404(host: Host, method: str, path: str) -> None:
    assert host.call(method, path).status == 404


def test_a_constraint_lets_what_fits_through(host: Host) -> None:
    assert host.call("GET", "/api/numbered/42").body == b"42"


def test_status_headers_cookies_and_bytes_come_back(host: Host) -> None:
    reply = host.call("GET", "/api/shaped")

    assert (reply.status, reply.body) == (418, b"\x00\xff")
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["x-shape"] == "round"
    assert reply.headers["set-cookie"] == "a=1; HttpOnly; Path=/\nb=2; SameSite=Lax"


def test_a_returned_text_is_plain_text(host: Host) -> None:
    reply = host.call("GET", "/api/text")

    assert (reply.status, reply.body) == (200, b"plain")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"


def test_head_answers_without_a_body(host: Host) -> None:
    reply = host.call("HEAD", "/api/echo/one")

    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["content-length"]) > 0


def test_a_failing_function_is_an_empty_500_and_one_line_in_the_log(host: Host) -> None:
    reply = host.call("GET", "/api/broken")

    assert (reply.status, reply.body) == (500, b"")
    assert "function broken failed: ValueError at" in host.said()
    assert "a secret of the function" not in host.said()


def test_a_plain_def_runs_beside_the_loop(host: Host) -> None:
    assert host.call("GET", "/api/threaded").body == b"from a thread"


def test_a_function_key_opens_a_function_and_nothing_else_does(host: Host) -> None:
    master = {"x-functions-key": host.keys.host_master}
    listed = host.call("GET", "/admin/host/keys", headers=master).json
    key = listed["keys"][0]["value"]

    assert host.call("GET", "/api/keyed").status == 401
    assert host.call("GET", "/api/keyed?code=wrong").status == 401
    assert host.call("GET", f"/api/keyed?code={host.keys.signalr_extension}").status == 401
    assert host.call("GET", f"/api/keyed?code={key}").status == 200
    assert host.call("GET", "/api/keyed", headers={"x-functions-key": key}).status == 200
    assert host.call("GET", "/api/keyed", headers=master).status == 200


def test_a_large_body_arrives_whole(host: Host) -> None:
    body = bytes(range(256)) * 4096 * 4

    reply = host.call("POST", "/api/echo/large", body)

    assert reply.json["body"].encode("latin-1") == body


def test_the_worker_s_log_is_passed_on_with_its_name(host: Host) -> None:
    host.get("/api/process")

    until(lambda: "[worker-1] INFO function_app asked for the process" in host.said())


def test_a_line_beyond_every_bound_does_not_stop_the_worker(host: Host) -> None:
    assert host.call("GET", "/api/shouting").body == b"done"

    until(lambda: "[worker-1] afterwards" in host.said())


def test_a_body_beyond_the_limit_is_413(host: Host) -> None:
    length = {"Content-Length": str(101 * 1024 * 1024)}

    reply = host.call("POST", "/api/echo/large", bytes(101 * 1024 * 1024), length)

    assert reply.status == 413


def connection_info(host: Host, user: str) -> dict[str, Any]:
    reply = host.call("POST", "/api/negotiate", headers={"X-User": user})
    assert reply.status == 200
    info: dict[str, Any] = json.loads(reply.body)
    return info


def test_connection_info_holds_an_address_and_a_token_for_it(host: Host) -> None:
    info = connection_info(host, "ada")

    assert info["url"] == "http://127.0.0.1:9/client/?hub=chat"
    claims = jwt.decode(info["accessToken"], ACCESS_KEY, algorithms=["HS256"], audience=info["url"])
    assert claims["asrs.s.uid"] == "ada"
    assert claims["exp"] - claims["iat"] == 3600
    assert "iss" not in claims


def test_an_expression_without_a_value_fails_the_call(host: Host) -> None:
    assert host.call("POST", "/api/negotiate").status == 500


def test_a_token_longer_than_the_service_takes_fails_the_call(host: Host) -> None:
    reply = host.call("POST", "/api/negotiate", headers={"X-User": "u" * 4000})

    assert reply.status == 500
