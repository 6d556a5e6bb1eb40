"""A Functions host as a test uses it, and a SignalR REST API that records what it is told."""

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, override

from local.common.keys import Keys, load_or_create
from local.common.settings import Ports
from tests.stack import ROOT, Reply
from tests.support.ports import free_block

APPS = Path(__file__).parent
ACCESS_KEY = "access-key-of-the-host-s-contract-tests"
DEADLINE_S = 60.0  # a second or two; on a machine that does much else besides, a minute


def until[T](look: Callable[[], T], deadline_s: float = DEADLINE_S) -> T:
    """Return the first truthy value of *look*, asked again until the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"still {seen!r} after {deadline_s} s")
        time.sleep(0.02)


def call(
    port: int,
    method: str,
    path: str,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Make one HTTP call on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        # One entry for each name; several cookies stay several lines.
        lowered: dict[str, str] = {}
        for name, value in answer.getheaders():
            key = name.lower()
            lowered[key] = f"{lowered[key]}\n{value}" if key in lowered else value
        return Reply(answer.status, lowered, answer.read())
    finally:
        connection.close()


@dataclass
class Host:
    """A running `python -m local.host`."""

    ports: Ports
    directory: Path
    keys: Keys
    process: subprocess.Popen[bytes]
    log: Path

    def call(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        return call(self.ports.host, method, path, body, headers)

    def get(self, path: str) -> Any:
        return self.call("GET", path).json

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def admin(self, name: str, given: str = "", *, wait: bool = True) -> int:
        headers = {"x-functions-key": self.keys.host_master, "x-parley-wait": str(wait).lower()}
        body = json.dumps({"input": given})
        return self.call("POST", f"/admin/functions/{name}", body, headers).status

    def upstream(
        self,
        event: str,
        message: object | bytes,
        headers: Mapping[str, str | None] | None = None,
        *,
        category: str = "messages",
        code: str | None = None,
    ) -> Reply:
        """Make an upstream call as SignalR Service does; None as a header's value leaves it out."""
        sent: dict[str, str | None] = {
            "Content-Type": "application/json",
            "X-ASRS-Connection-Id": "CID-0001",
            "X-ASRS-Hub": "chat",
            "X-ASRS-Category": category,
            "X-ASRS-Event": event,
            "X-ASRS-Signature": f"sha256=00,{signature('CID-0001')}",
            **(headers or {}),
        }
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        key = self.keys.signalr_extension if code is None else code
        given = {name: value for name, value in sent.items() if value is not None}
        return self.call("POST", f"/runtime/webhooks/signalr?code={key}", body, given)

    def worker_pids(self) -> list[int]:
        return [each["pid"] for each in self.get("/_control/processes")["items"]]

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            return self.call("GET", "/_control/health").status == 200
        return False

    def stop(self) -> int:
        """End the host with SIGTERM; return its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(DEADLINE_S)
        finally:
            self.process.kill()
            self.process.wait()


def signature(connection_id: str) -> str:
    digest = hmac.new(ACCESS_KEY.encode(), connection_id.encode(), hashlib.sha256).hexdigest()
    return f"sha256={digest.upper()}"


def settings(signalr_port: int) -> dict[str, str]:
    """Return the app settings of the app `core`."""
    return {
        "HUB_NAME": "chat",
        "TICKING": "0 0 0 1 1 *",
        "AzureSignalRConnectionString": (
            f"Endpoint=http://127.0.0.1:{signalr_port};AccessKey={ACCESS_KEY};Version=1.0;"
        ),
    }


def launch(app: Path, directory: Path, values: Mapping[str, str], port: int | None = None) -> Host:
    """Start a host and return at once."""
    directory.mkdir(parents=True, exist_ok=True)
    port = port or free_block()
    log = directory / "host.log"
    environment = {
        "PATH": os.defpath,
        "PORT": str(port),
        "CHAT_LOCAL_DIR": str(directory),
        "CHAT_APP_DIR": str(app),
        **values,
    }
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.host"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    return Host(Ports(port), directory, load_or_create(directory), process, log)


@contextlib.contextmanager
def running(
    app: Path, directory: Path, values: Mapping[str, str], port: int | None = None
) -> Iterator[Host]:
    """Run a host for the length of the `with` block, ready when it begins."""
    host = launch(app, directory, values, port)
    try:
        until(lambda: host.is_ready() or host.process.poll() is not None)
        if host.process.poll() is not None:
            raise AssertionError(host.said())
        yield host
    finally:
        host.stop()


@dataclass(frozen=True)
class RestCall:
    """One call of the REST API; `query` and `body` as sent."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class FakeSignalR:
    """A SignalR REST API that answers what it is told to: status and error code, by call."""

    calls: list[RestCall] = field(default_factory=list)
    answers: list[tuple[int, str | None]] = field(default_factory=list)
    port: int = 0

    def forget(self) -> None:
        self.calls.clear()
        self.answers.clear()


@contextlib.contextmanager
def fake_signalr() -> Iterator[FakeSignalR]:
    """Serve a `FakeSignalR` on a port of its own."""
    fake = FakeSignalR()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            fake.calls.append(RestCall(self.command, path, query, dict(self.headers), body))
            status, error_code = fake.answers.pop(0) if fake.answers else (202, None)
            self.send_response(status)
            if error_code is not None:
                self.send_header("x-ms-error-code", error_code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PUT = do_DELETE = answer  # noqa: N815

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
