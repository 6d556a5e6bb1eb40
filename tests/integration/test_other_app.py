"""Another team's app on the stack: `python -m local --app`, and the app of `local/examples/`."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.common.keys import load_or_create
from local.common.settings import Ports
from local.stack.application import find_model, other_app
from local.stack.errors import CannotStartError
from tests.hub import Hub
from tests.stack import ROOT, Reply, Stack, running_stack

SHOP = ROOT / "local" / "examples" / "shop"
DEADLINE_S = 60.0

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("shop"), app=SHOP) as started:
        yield started


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def until_found(stack: Stack, path: str) -> Reply:
    deadline = time.monotonic() + DEADLINE_S
    while (reply := await stack.call("GET", path)).status == 404:
        assert time.monotonic() < deadline, stack.said()
        await asyncio.sleep(0.05)
    return reply


async def test_an_order_goes_through_every_service(
    shop: Stack, session: aiohttp.ClientSession
) -> None:
    customer = await Hub.connect(session, shop.base_url, "amara", "")
    order = {"article": "teapot", "quantity": 2}

    placed = await shop.call("PUT", "/api/orders/one", order)
    pushed = await customer.wait_for("receipt", within_s=DEADLINE_S)
    receipt = await until_found(shop, "/api/receipts/one")
    await customer.close()

    assert (placed.status, placed.json) == (201, {**order, "id": "one"})
    assert pushed == {"id": "one", "text": "2 x teapot"}
    assert receipt.body == b"2 x teapot"


async def test_a_timer_runs_when_the_app_starts(shop: Stack) -> None:
    report = await until_found(shop, "/api/receipts/report")

    assert report.body.endswith(b" receipts")


async def test_two_browsers_chat(shop: Stack, session: aiohttp.ClientSession) -> None:
    amara = await Hub.connect(session, shop.base_url, "amara", "")
    ben = await Hub.connect(session, shop.base_url, "ben", "")

    answer = await amara.invoke("say", "hello")
    line = await ben.wait_for("said")
    await asyncio.gather(amara.close(), ben.close())

    assert answer == {"ok": True}
    assert line == {"from": "amara", "text": "hello"}


async def test_the_site_of_parley_does_not_come_along(shop: Stack) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{shop.ports.supervisor}/processes") as reply,
    ):
        names = [item["name"] for item in (await reply.json())["items"]]

    assert "site" not in names
    assert {"host", "worker-1", "cosmos", "servicebus", "signalr", "redis"} <= set(names)


def test_the_settings_are_printed_for_other_tools_and_kept_beside_the_data(shop: Stack) -> None:
    kept = json.loads((shop.directory / "app-settings.json").read_text(encoding="utf-8"))

    printed = run_to_its_end(SHOP, shop.directory, "--settings", port=shop.ports.front)

    assert json.loads(printed.stdout) == kept
    assert f"http://127.0.0.1:{shop.ports.cosmos}/" in kept["Values"]["CosmosConnection"]
    assert kept["Values"]["AzureWebJobsStorage"] == kept["Values"]["BlobConnection"]


def run_to_its_end(
    app: Path, directory: Path, *arguments: str, port: int = 9000
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local", "--app", str(app), *arguments],
        cwd=ROOT,
        env={"PORT": str(port), "CHAT_LOCAL_DIR": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )


def write_app(directory: Path, code: str, model: dict[str, Any] | None = None) -> Path:
    directory.mkdir()
    (directory / "host.json").write_text('{"version": "2.0"}', encoding="utf-8")
    text = f"import azure.functions as func\napp = func.FunctionApp()\n{code}"
    (directory / "function_app.py").write_text(text, encoding="utf-8")
    if model is not None:
        (directory / "local.model.json").write_text(json.dumps(model), encoding="utf-8")
    return directory


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ({"databases": []}, "unknown field 'databases'; known are"),
        ({"containers": [{"name": "a", "partitionKey": "/id"}]}, "containers need a database"),
        ({"database": "d", "containers": [{"name": "a"}]}, "container a: A partitionKey"),
        ({"queues": [{"name": "q", "requiresSession": True}]}, "not served here: requiresSession"),
        ({"queues": ["q"]}, "each of queues must be an object with a name"),
        ({"queues": {}}, "queues must be a list"),
        ({"blobContainers": [1]}, "blobContainers must be a list of names"),
        ({"connections": {"X": "sql"}}, "connections: X must be one of cosmos, servicebus"),
    ],
)
def test_a_model_that_cannot_be_served_is_refused_before_anything_starts(
    tmp_path: Path, model: dict[str, Any], sentence: str
) -> None:
    app = write_app(tmp_path / "app", "", model)

    with pytest.raises(CannotStartError) as refused:
        other_app(app, find_model(app, None, tmp_path), Ports(9000), load_or_create(tmp_path))

    assert str(refused.value).startswith(f"{app / 'local.model.json'}: ")
    assert sentence in str(refused.value)


def test_a_refused_start_is_one_sentence(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app", "", {"queues": {}})

    done = run_to_its_end(app, tmp_path / "data")

    assert done.returncode == 1
    assert done.stderr == f"parley: {app / 'local.model.json'}: queues must be a list\n"


def test_a_directory_without_an_app_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotStartError, match="is not a function app: it has no host"):
        find_model(tmp_path, None, tmp_path)


def test_own_settings_of_the_app_and_its_names_for_connections_are_handed_to_it(
    tmp_path: Path,
) -> None:
    app = write_app(tmp_path / "app", "", {"connections": {"Orders": "cosmos"}})
    values = {"GREETING": "hello", "Orders": "AccountEndpoint=https://real.example/;"}
    text = json.dumps({"IsEncrypted": False, "Values": values})
    (app / "local.settings.json").write_text(text, encoding="utf-8")

    model = find_model(app, None, tmp_path)
    handed = other_app(app, model, Ports(9000), load_or_create(tmp_path)).settings

    assert handed["GREETING"] == "hello"
    assert handed["Orders"] == handed["CosmosConnection"]
    assert handed["Orders"].startswith("AccountEndpoint=http://127.0.0.1:9003/;")
