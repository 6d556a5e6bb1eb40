"""The life of host and workers: killed, slow, several, and apps that cannot be served."""

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import override

import pytest

from local.common.process import CANNOT_SERVE
from tests.contract.host_app.harness import APPS, DEADLINE_S, Host, launch, running, settings, until
from tests.stack import Reply
from tests.support.ports import free_block

pytestmark = pytest.mark.stack

HOST_JSON = '{"version": "2.0"}'


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    values = {**settings(9), "CHAT_WORKERS": "2"}
    with running(APPS / "core", tmp_path_factory.mktemp("host"), values) as started:
        until(lambda: all(started.worker_pids()))
        yield started


class Later(threading.Thread):
    """A call that is made while the test goes on."""

    def __init__(self, host: Host, path: str) -> None:
        super().__init__()
        self._host, self._path = host, path
        self.reply: Reply | None = None
        self.start()

    @override
    def run(self) -> None:
        self.reply = self._host.call("GET", self._path)

    def wait(self) -> Reply:
        self.join(DEADLINE_S)
        assert self.reply is not None
        return self.reply


def running_slow(host: Host) -> int:
    invocations: int = host.get("/_control/metrics")["functions"]["slow"]["invocations"]
    return invocations


def test_calls_go_to_the_least_busy_worker_and_run_side_by_side(host: Host) -> None:
    until(lambda: host.said().count("is ready") >= 2)
    before = running_slow(host)
    busy = Later(host, "/api/slow?seconds=1")
    until(lambda: running_slow(host) > before)

    pids = {host.get("/api/process")["pid"] for _ in range(5)}

    assert len(pids) == 1
    assert pids < set(host.worker_pids())
    assert busy.wait().body == b"done"


def test_a_killed_worker_fails_what_it_ran_and_is_replaced_at_once(tmp_path: Path) -> None:
    with running(APPS / "core", tmp_path, settings(9)) as host:
        [before] = host.worker_pids()
        running_one = Later(host, "/api/slow?seconds=4")
        until(lambda: running_slow(host) == 1)

        os.kill(before, signal.SIGKILL)
        until(lambda: "exited with code 137" in host.said())
        answered = host.get("/api/process")

        assert running_one.wait().status == 500
        assert answered["pid"] != before
        assert answered["warmedUp"] == 1
        [item] = host.get("/_control/processes")["items"]
        assert item == {"name": "worker-1", "pid": answered["pid"], "restarts": 1}


def test_a_killed_worker_is_an_error_completion_for_an_invoke(tmp_path: Path) -> None:
    with running(APPS / "core", tmp_path, settings(9)) as host:
        replies: list[Reply] = []
        message = {"type": 1, "invocationId": "1", "target": "wait", "arguments": []}
        thread = threading.Thread(target=lambda: replies.append(host.upstream("wait", message)))
        thread.start()
        until(lambda: host.get("/_control/metrics")["functions"]["invoke_wait"]["invocations"])

        os.kill(host.worker_pids()[0], signal.SIGKILL)
        thread.join(DEADLINE_S)

        [reply] = replies
        assert reply.status == 200
        assert json.loads(reply.body[:-1])["error"].startswith("python exited")


def test_a_call_past_the_function_timeout_costs_its_worker_its_life(host: Host) -> None:
    before = set(host.worker_pids())

    reply = host.call("GET", "/api/slow?seconds=60")

    assert reply.status == 500
    until(lambda: len(set(host.worker_pids()) - before) == 1)


def test_the_host_ends_by_itself_and_takes_its_workers_along(tmp_path: Path) -> None:
    with running(APPS / "core", tmp_path, settings(9)) as host:
        [pid] = host.worker_pids()

        assert host.stop() == 0

        until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_killed_host_takes_its_workers_along(tmp_path: Path) -> None:
    with running(APPS / "core", tmp_path, settings(9)) as host:
        [pid] = host.worker_pids()

        host.process.kill()

        until(lambda: not Path(f"/proc/{pid}").exists())


def write_app(directory: Path, code: str, host_json: str = HOST_JSON) -> Path:
    (directory / "function_app.py").write_text(f"import azure.functions as func\n{code}")
    (directory / "host.json").write_text(host_json)
    return directory


APP = "app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)\n"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("raise RuntimeError('at import')", "could not be indexed: RuntimeError: at import"),
        ("", "has no functions: function_app.py must define `app = func.FunctionApp()`"),
        ("import no_such_package", "the app imports no_such_package, which is not installed"),
        (
            APP
            + "@app.retry(strategy='fixed_delay', max_retry_count='1', delay_interval='0:0:1')\n"
            "@app.route('a')\nasync def one(req: func.HttpRequest) -> str: ...\n",
            "function one, binding httpTrigger req: a retry policy",
        ),
    ],
)
def test_an_app_that_cannot_be_served_ends_the_host_with_a_sentence(
    tmp_path: Path, code: str, sentence: str
) -> None:
    host = launch(write_app(tmp_path, code), tmp_path / "local", {})

    assert host.process.wait(DEADLINE_S) == CANNOT_SERVE
    assert sentence in host.said()


def test_a_disabled_function_is_not_served(tmp_path: Path) -> None:
    values = {**settings(9), "AzureWebJobs.text.Disabled": "true"}
    with running(APPS / "core", tmp_path, values) as host:
        assert host.call("GET", "/api/text").status == 404
        assert host.call("GET", "/api/echo/one").status == 200


def test_a_directory_without_host_json_is_no_app(tmp_path: Path) -> None:
    host = launch(tmp_path, tmp_path / "local", {})

    assert host.process.wait(DEADLINE_S) == CANNOT_SERVE
    assert "not a function app" in host.said()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    port = free_block()
    with socket.create_server(("127.0.0.1", port + 1)):
        host = launch(write_app(tmp_path, APP), tmp_path / "local", {}, port)

        assert host.process.wait(DEADLINE_S) == 1

    assert str(port + 1) in host.said()
