"""The whole local stack as a test uses it: started on free ports, in a directory of its own."""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.common.settings import Ports
from tests.support.ports import free_block

ROOT = Path(__file__).resolve().parents[1]

_READY_S = 120.0  # a second or two; on a machine that does much else besides, a minute
_STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, its headers in lower case, its body and the body read as JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class StackFailedError(AssertionError):
    """The stack did not become ready, or ended by itself; the text shows what it said."""


class Stack:
    """A running `python -m local`; with *app*, of that app instead of Parley."""

    def __init__(
        self,
        directory: Path,
        port: int,
        env: Mapping[str, str],
        root: Path = ROOT,
        app: Path | None = None,
    ) -> None:
        self.directory = directory
        self._root = root
        self._arguments = [] if app is None else ["--app", str(app)]
        self.ports = Ports(port)
        self._door = self.ports.front if app is None else self.ports.host
        self.base_url = f"http://127.0.0.1:{self._door}"
        self.started_in_s = 0.0
        self._env = env
        self._said = directory / "terminal.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the stack and wait for its ready line.

        Raises:
            StackFailedError: It ended, or was not ready within two minutes.

        """
        begun = time.monotonic()
        self.launch()
        ready = f"ready {self.base_url}"
        while ready not in self.said().splitlines():
            if self._process().poll() is not None or time.monotonic() - begun > _READY_S:
                said = self.said()
                self.kill_all()
                raise StackFailedError(f"the stack is not ready; it said:\n{said}")
            time.sleep(0.02)
        self.started_in_s = time.monotonic() - begun

    def launch(self) -> None:
        """Start the process and return at once."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local", *self._arguments],
                cwd=self._root,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def said(self) -> str:
        """Return what stands on the stack's terminal."""
        return self._said.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> float:
        """End the stack with SIGTERM; return the seconds it took."""
        begun = time.monotonic()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_STOP_S)
            self.kill_all()
        return time.monotonic() - begun

    def kill_all(self) -> None:
        """Kill the supervisor with SIGKILL; the kernel kills what it started."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Call the front door; *body* is sent as JSON unless it is bytes."""
        return await asyncio.to_thread(self.call_now, method, path, body, token, headers)

    def call_now(
        self,
        method: str,
        path: str,
        body: object = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Do as `call` does, without a loop."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            sent.setdefault("Content-Type", "application/json")
            body = json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self._door, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=sent)
            reply = connection.getresponse()
            named = {name.lower(): value for name, value in reply.getheaders()}
            return Reply(reply.status, named, reply.read())

    async def token(self, user_id: str, *, name: str | None = None) -> str:
        """Return a token for *user_id*, whom the chat knows once this returns."""
        reply = await self.call("POST", "/dev/token", {"userId": user_id, "name": name})
        assert reply.status == 200, reply.body
        return str(reply.json["token"])

    async def metrics(self) -> dict[str, Any]:
        """Return the counters of `GET /dev/metrics`."""
        counted: dict[str, Any] = (await self.call("GET", "/dev/metrics")).json
        return counted

    async def processes(self) -> dict[str, dict[str, Any]]:
        """Return every process by name."""
        items = (await self.call("GET", "/dev/processes")).json["items"]
        return {item["name"]: item for item in items}

    async def kill(self, name: str) -> int:
        """Send SIGKILL to the process *name*; return the pid it had."""
        pid = int((await self.processes())[name]["pid"])
        os.kill(pid, signal.SIGKILL)
        return pid

    async def healthy(self, within_s: float = 30.0) -> None:
        """Return once `GET /api/health` is good.

        Raises:
            AssertionError: It is not within *within_s* seconds.

        """
        deadline = time.monotonic() + within_s
        seen: object = None
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                reply = await self.call("GET", "/api/health")
                if reply.status == 200:
                    return
                seen = reply.body
            await asyncio.sleep(0.05)
        raise AssertionError(f"not healthy within {within_s} s: {seen!r}")

    def _process(self) -> subprocess.Popen[bytes]:
        assert self.process is not None
        return self.process

    def _environment(self) -> dict[str, str]:
        # What the machine's owner set for a run of his own is not for tests.
        inherited = {
            name: value
            for name, value in os.environ.items()  # noqa: TID251
            if not name.startswith("CHAT_")
            and not name.endswith(("Connection", "ConnectionString"))
        }
        own = {
            "PORT": str(self.ports.front),
            "CHAT_LOCAL_DIR": str(self.directory),
            "CHAT_LOCAL_TIED": "1",
        }
        return {**inherited, **self._env, **own}


@contextlib.contextmanager
def running_stack(
    directory: Path,
    env: Mapping[str, str] | None = None,
    *,
    port: int | None = None,
    root: Path = ROOT,
    app: Path | None = None,
) -> Iterator[Stack]:
    """Give a running stack that keeps its data in *directory*, and end it afterwards.

    Args:
        root: The project to run: a copy of it, for a test of what a change would do.
        app: Another app to run on the stack; the calls then go to the host itself.

    """
    stack = Stack(directory, port or free_block(), env or {}, root, app)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
