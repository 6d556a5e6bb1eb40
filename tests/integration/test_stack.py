"""The supervisor: start, ready, restart, refuse, end. The app behind it is a minimal one."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from tests.stack import ROOT, Stack, running_stack
from tests.support.ports import free_block

pytestmark = pytest.mark.stack

APP = {"CHAT_APP_DIR": str(Path(__file__).parent / "stack_app")}
NAMES = [
    "host",
    "worker-1",
    "signalr",
    "cosmos",
    "servicebus",
    "redis",
    "azurite",
    "site",
    "proxy",
]


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack"), APP) as started:
        yield started


def descendants(stack: Stack) -> list[psutil.Process]:
    assert stack.process is not None
    return psutil.Process(stack.process.pid).children(recursive=True)


def refused(stack: Stack) -> str:
    stack.launch()
    assert stack.process is not None
    assert stack.process.wait(30) == 1
    return stack.said()


def require_nothing_left(stack: Stack, processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=3)
    assert alive == []
    for port in range(stack.ports.front, stack.ports.proxy_control + 1):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


async def replaced(stack: Stack, name: str, pid: int, within_s: float = 10) -> dict[str, object]:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            item = (await stack.processes()).get(name)
        except (OSError, KeyError, ValueError):  # the front door itself is what was killed
            item = None
        if item and item["pid"] not in {None, pid}:
            return item
        await asyncio.sleep(0.05)
    raise AssertionError(f"{name} was not started again within {within_s} s")


def test_the_ready_line_stands_alone_and_the_screen_says_what_to_do_next(
    own_stack: Stack,
) -> None:
    lines = own_stack.said().splitlines()

    after = "\n".join(lines[lines.index(f"ready {own_stack.base_url}") + 1 :])
    assert own_stack.base_url in after
    assert "Amara Okafor" in after
    assert "Ctrl-C" in after
    assert "logs" in after
    assert len(lines) <= 24
    own = [line for line in lines if str(own_stack.directory) not in line]
    assert max(map(len, own)) <= 100


async def test_every_process_is_listed_with_a_pid_that_lives(own_stack: Stack) -> None:
    processes = await own_stack.processes()

    assert list(processes) == NAMES
    assert all(psutil.pid_exists(item["pid"]) for item in processes.values())


@pytest.mark.parametrize("name", NAMES)
async def test_a_process_that_is_killed_comes_back_and_the_stack_with_it(
    own_stack: Stack, name: str
) -> None:
    before = (await own_stack.processes())[name]

    pid = await own_stack.kill(name)

    after = await replaced(own_stack, name, pid)
    assert after["restarts"] == before["restarts"] + 1
    await own_stack.healthy()


@pytest.mark.parametrize("name", ["cosmos", "worker-1"])
async def test_a_process_is_killed_and_restarted_through_the_front_door_too(
    own_stack: Stack, name: str
) -> None:
    for action in ("kill", "restart"):
        pid = (await own_stack.processes())[name]["pid"]

        reply = await own_stack.call("POST", f"/dev/processes/{name}/{action}")

        assert reply.status == 204
        await replaced(own_stack, name, pid)
    await own_stack.healthy()


async def test_a_paused_process_stands_still_until_it_is_resumed(own_stack: Stack) -> None:
    pid = (await own_stack.processes())["signalr"]["pid"]

    await own_stack.call("POST", "/dev/processes/signalr/pause")
    await until_unreachable(own_stack, ["signalr"])
    paused = psutil.Process(pid).status()
    await own_stack.call("POST", "/dev/processes/signalr/resume")

    assert paused == psutil.STATUS_STOPPED
    await until_unreachable(own_stack, [])
    assert (await own_stack.processes())["signalr"]["pid"] == pid


async def until_unreachable(stack: Stack, names: list[str], within_s: float = 15) -> None:
    deadline = time.monotonic() + within_s
    while (seen := (await stack.metrics())["unreachable"]) != names:
        assert time.monotonic() < deadline, seen
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("path", ["nobody/kill", "cosmos/explode", "worker-9/kill"])
async def test_an_unknown_process_or_action_is_a_404(own_stack: Stack, path: str) -> None:
    reply = await own_stack.call("POST", f"/dev/processes/{path}")

    assert (reply.status, reply.json["code"]) == (404, "not_found")


@pytest.mark.parametrize("service", ["cosmos", "signalr", "servicebus", "redis", "blob"])
async def test_every_service_takes_a_fault_and_forgets_it(own_stack: Stack, service: str) -> None:
    asked = {"service": service, "kind": "error", "probability": 0.5, "count": 3}

    armed = await own_stack.call("POST", "/dev/faults", asked)
    cleared = await own_stack.call("DELETE", "/dev/faults")

    assert armed.status == 200
    assert armed.json["id"].startswith(service)
    assert cleared.status == 204


async def test_a_fault_of_no_known_kind_is_refused_by_the_service(own_stack: Stack) -> None:
    reply = await own_stack.call("POST", "/dev/faults", {"service": "redis", "kind": "explode"})

    assert (reply.status, reply.json["code"]) == (400, "invalid")


async def test_redis_counts_the_apps_work_and_not_the_question(own_stack: Stack) -> None:
    before = (await own_stack.metrics())["redis"]
    idle = (await own_stack.metrics())["redis"]
    with redis.Redis(port=own_stack.ports.redis, protocol=2) as client:
        client.ping()
        connected = (await own_stack.metrics())["redis"]
        with client.pipeline(transaction=False) as pipe:
            for number in range(10):
                pipe.get(f"key{number}")
            pipe.execute()
        after = (await own_stack.metrics())["redis"]

    assert idle == before
    assert after["commands"] - connected["commands"] == 10
    assert after["roundTrips"] - connected["roundTrips"] == 1


def test_a_second_stack_on_the_same_data_is_refused(own_stack: Stack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local"],
        cwd=ROOT,
        env={"PORT": str(free_block()), "CHAT_LOCAL_DIR": str(own_stack.directory)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "set CHAT_LOCAL_DIR" in done.stderr


@pytest.mark.parametrize(
    ("offset", "purpose"), [(0, "front door"), (3, "Cosmos DB"), (9, "Azurite")]
)
def test_a_taken_port_is_named_with_its_purpose(tmp_path: Path, offset: int, purpose: str) -> None:
    stack = Stack(tmp_path, free_block(), APP)
    with socket.create_server(("127.0.0.1", stack.ports.front + offset)):
        said = refused(stack)

    assert said.count("\n") == 1
    assert f"port {stack.ports.front + offset} " in said
    assert purpose in said
    assert "taken" in said


def test_a_missing_node_is_said_in_one_sentence(tmp_path: Path) -> None:
    said = refused(Stack(tmp_path, free_block(), {**APP, "PATH": "/nonexistent"}))

    assert said.count("\n") == 1
    assert "node is missing" in said


@pytest.mark.parametrize("port", ["nine", "80", "-1", "65535"])
def test_a_port_that_is_none_is_said_in_one_sentence(port: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local"],
        cwd=ROOT,
        env={"PORT": port},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "PORT" in done.stderr


def test_an_app_that_cannot_start_ends_the_stack_with_its_last_words(tmp_path: Path) -> None:
    said = refused(Stack(tmp_path, free_block(), {"CHAT_WORKERS": "many", **APP}))

    assert "host does not start" in said
    assert "CHAT_WORKERS must be a number" in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_stack_ends_though_a_part_stands_still_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    with running_stack(tmp_path, APP) as stack:
        processes = descendants(stack)
        await stack.call("POST", "/dev/processes/servicebus/pause")

        assert stack.process is not None
        stack.process.send_signal(number)
        code = stack.process.wait(30)

        assert code == 0
        require_nothing_left(stack, processes)


def test_a_killed_supervisor_leaves_nothing(tmp_path: Path) -> None:
    with running_stack(tmp_path, APP) as stack:
        processes = descendants(stack)
        assert len(processes) >= len(NAMES)

        assert stack.process is not None
        os.kill(stack.process.pid, signal.SIGKILL)
        stack.process.wait(5)

        require_nothing_left(stack, processes)


def test_a_stack_told_to_end_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    stack = Stack(tmp_path, free_block(), APP)
    stack.launch()
    assert stack.process is not None
    deadline = time.monotonic() + 10
    while not (processes := descendants(stack)):
        assert time.monotonic() < deadline
        time.sleep(0.01)

    stack.process.send_signal(signal.SIGTERM)
    code = stack.process.wait(10)

    assert code == 0
    require_nothing_left(stack, processes)
