"""The front door: the page, the way to the host, counters and faults."""

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from local.common.process import http_server
from tests.site_harness import Site, running_site

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running_site(tmp_path) as running:
        yield running


def build_page(site: Site) -> None:
    (site.page / "assets").mkdir()
    (site.page / "index.html").write_text("<title>Parley</title>")
    (site.page / "assets" / "app-1a2b.js").write_text("void 0")
    (site.page / "assets" / "font.woff2").write_bytes(b"wOF2")
    (site.page.parent / "secret.txt").write_text("secret")


@pytest.mark.parametrize(
    ("path", "content_type", "cache"),
    [
        ("/", "text/html", "no-cache"),
        ("/index.html", "text/html", "no-cache"),
        ("/conversations/abc", "text/html", "no-cache"),
        ("/assets/app-1a2b.js", "text/javascript", "immutable"),
        ("/assets/font.woff2", "font/woff2", "immutable"),
    ],
)
async def test_the_page_is_served_as_what_it_is(
    site: Site, path: str, content_type: str, cache: str
) -> None:
    build_page(site)

    async with site.session.get(f"{site.url}{path}") as reply:
        assert reply.status == 200
        assert reply.content_type == content_type
        assert cache in reply.headers["Cache-Control"]
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_page_has_the_headers_that_the_manual_tells_a_real_host_to_send(
    site: Site,
) -> None:
    build_page(site)
    ports = site.settings.ports
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    block = re.search(r"## Headers of the page\n.*?```text\n(.*?)```", manual, re.DOTALL)
    assert block is not None
    told = dict(line.split(": ", 1) for line in block[1].splitlines())
    for name, schemes, port in (
        ("SITE", ("http",), ports.front),
        ("SIGNALR", ("http", "ws"), ports.signalr),
        ("BLOBS", ("http",), ports.blob),
    ):
        hosts = [f"{one}://{host}:{port}" for host in ("127.0.0.1", "localhost") for one in schemes]
        policy = told["Content-Security-Policy"]
        told["Content-Security-Policy"] = policy.replace(f" {name}", f" {' '.join(hosts)}")

    for path in ("/", "/assets/app-1a2b.js"):
        async with site.session.get(f"{site.url}{path}") as reply:
            sent = {name: reply.headers[name] for name in told}
        assert sent == told


async def test_the_page_may_reach_the_stack_and_nothing_else(site: Site) -> None:
    ports = site.settings.ports

    async with site.session.get(f"{site.url}/") as reply:
        policy = dict(
            rule.strip().split(" ", 1)
            for rule in reply.headers["Content-Security-Policy"].split(";")
        )

    assert policy["script-src"] == "'self'"
    assert f"ws://127.0.0.1:{ports.signalr}" in policy["connect-src"]
    assert f"http://127.0.0.1:{ports.blob}" in policy["connect-src"]
    assert policy["frame-ancestors"] == "'none'"


async def test_a_page_that_is_not_built_says_how_to_build_it(site: Site) -> None:
    async with site.session.get(f"{site.url}/") as reply:
        text = await reply.text()

    assert reply.status == 200
    assert "npm run build" in text


@pytest.mark.parametrize(
    "path", ["/assets/none.js", "/missing.png", "/dev/nothing", "/assets/../../secret.txt"]
)
async def test_what_is_not_there_is_a_404_and_not_the_page(site: Site, path: str) -> None:
    build_page(site)

    reader, writer = await asyncio.open_connection("127.0.0.1", site.settings.ports.front)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"secret" not in answer.split(b"\r\n\r\n", 1)[1]


async def test_a_call_reaches_the_host_as_it_was_made(site: Site) -> None:
    path = "/api/conversations/a%2Fb/messages?limit=5&before=%E2%9C%93"
    headers = {"Authorization": "Bearer x", "X-Ms-SignalR-UserId": "amara"}

    async with site.session.post(
        f"{site.url}/api/", data=b"{}", headers=headers, allow_redirects=False
    ) as plain:
        assert plain.status == 200
    url = URL(f"{site.url}{path}", encoded=True)
    async with site.session.post(url, data=b'{"body": "\xe2\x9c\x93"}', headers=headers) as reply:
        seen = await reply.json()

    assert seen["path"] == path
    assert seen["body"] == '{"body": "✓"}'
    assert seen["headers"]["Authorization"] == "Bearer x"
    assert seen["headers"]["X-Ms-SignalR-UserId"] == "amara"


async def test_nobody_speaks_for_the_platform_through_the_front_door(site: Site) -> None:
    headers = {
        "X-MS-CLIENT-PRINCIPAL-ID": "amara",
        "x-ms-client-principal": "e30=",
        "X-Ms-Client-Principal-Name": "Amara",
        "X-Forwarded-For": "203.0.113.7",
    }

    async with site.session.get(f"{site.url}/api/me", headers=headers) as reply:
        seen = {name.lower(): value for name, value in (await reply.json())["headers"].items()}

    assert not [name for name in seen if name.startswith("x-ms-client-principal")]
    assert seen["x-forwarded-for"] == "203.0.113.7, 127.0.0.1"


@pytest.mark.parametrize("status", [201, 204, 302, 404, 429, 500])
async def test_the_hosts_answer_comes_back_as_it_is(site: Site, status: int) -> None:
    async with site.session.get(
        f"{site.url}/api/x?status={status}", allow_redirects=False
    ) as reply:
        assert reply.status == status


async def test_a_host_that_is_down_is_a_503_that_says_when_to_try_again(tmp_path: Path) -> None:
    async with running_site(tmp_path, with_host=False) as site:
        paths = [f"{site.url}/{prefix}/x" for prefix in ("api", "admin", "runtime")]
        replies = await asyncio.gather(*(site.session.post(path, data=b"{}") for path in paths))
        problems = [await reply.json() for reply in replies]

    for reply, problem in zip(replies, problems, strict=True):
        assert reply.status == 503
        assert reply.content_type == "application/problem+json"
        assert problem["code"] == "unavailable"
        assert problem["retryAfterMs"] > 0
        assert int(reply.headers["Retry-After"]) >= 1


async def test_a_call_made_while_the_host_restarts_is_carried_out(tmp_path: Path) -> None:
    async with running_site(tmp_path, with_host=False) as site:
        asked = asyncio.create_task(site.json("POST", "/api/x", {"a": 1}))
        await asyncio.sleep(0.2)

        async with http_server(site.host.app(), site.settings.ports.host):
            status, seen = await asked

    assert status == 200
    assert json.loads(seen["body"]) == {"a": 1}


async def test_counters_come_in_the_contracts_shape_even_when_all_is_down(site: Site) -> None:
    status, counted = await site.json("GET", "/dev/metrics")

    assert status == 200
    assert counted["cosmos"] == {"requests": 0, "requestUnits": 0}
    assert counted["redis"] == {"commands": 0, "roundTrips": 0}
    assert counted["serviceBus"] == {"sent": 0, "completed": 0, "deadLettered": 0}
    assert set(counted["signalr"]) == {
        "connections",
        "restCalls",
        "upstreamCalls",
        "outboundMessages",
    }
    assert counted["functions"] == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "service"),
        ({"service": "tardis", "kind": "error"}, "service"),
        ({"service": ["redis"], "kind": "error"}, "service"),
        ({"service": "cosmos", "kind": "error", "status": 200}, "status"),
        ({"service": "cosmos", "kind": "error", "status": 503.5}, "status"),
        ({"service": "cosmos", "kind": "delay", "ms": -1}, "ms"),
        ({"service": "cosmos", "kind": "delay", "ms": 600_001}, "ms"),
        ({"service": "cosmos", "kind": "drop", "count": 0}, "count"),
        ({"service": "cosmos", "kind": "drop", "count": True}, "count"),
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(site: Site, body: object, field: str) -> None:
    status, problem = await site.json("POST", "/dev/faults", body)

    assert (status, problem["code"]) == (400, "invalid")
    assert problem["detail"].startswith(f"{field}: ")


async def test_a_fault_for_a_part_that_is_down_is_a_503(site: Site) -> None:
    status, problem = await site.json("POST", "/dev/faults", {"service": "blob", "kind": "drop"})

    assert (status, problem["code"]) == (503, "unavailable")


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
async def test_another_sites_page_gets_no_token(site: Site, headers: dict[str, str]) -> None:
    async with site.session.post(
        f"{site.url}/dev/token", json={"userId": "amara"}, headers=headers
    ) as reply:
        assert reply.status == 403


async def test_the_wrong_method_is_a_problem_too(site: Site) -> None:
    status, problem = await site.json("DELETE", "/dev/token")

    assert (status, problem["status"]) == (405, 405)


async def test_a_browser_that_leaves_amid_an_answer_costs_one_line_of_the_log(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with aiohttp.ClientSession() as browser:
        reply = await browser.get(f"{site.url}/api/endless?code=secret")
        await reply.content.readexactly(1024)
        reply.close()

    deadline = time.monotonic() + 30
    while "left before" not in caplog.text:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    assert "GET /api/endless: the client left before the answer ended" in caplog.text
    assert "Traceback" not in caplog.text
    assert "secret" not in caplog.text


async def test_an_answer_that_breaks_off_does_not_look_whole(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async with site.session.get(f"{site.url}/api/broken") as reply:
        with pytest.raises(aiohttp.ClientError):
            await reply.read()

    assert "GET /api/broken: the answer broke off" in caplog.text
    assert "Traceback" not in caplog.text
