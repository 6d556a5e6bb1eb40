"""One worker process as the host sees it: its start, its calls, its output, its end."""

import asyncio
import contextlib
import socket
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from local.host.errors import Failure, StartError, WorkerStartError
from local.host.ipc import Frame, FrameProtocol
from local.host.refusal import refusal
from local.host.typed_value import TypedValue

_INDEX_S = 60.0  # the real host gives a worker a minute to start
_LONGEST_LINE = 1 << 20
_ENDED = "ended"  # in place of a frame, when the process ended before it sent one


@dataclass(frozen=True, slots=True)
class Call:
    """What a worker is asked to run."""

    function_id: str
    inputs: list[tuple[str, TypedValue | None]]
    metadata: dict[str, TypedValue] = field(default_factory=dict)
    traceparent: str = ""
    retry_count: int = 0
    max_retry_count: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """How it went: a failure, or the returned value and the values of the output bindings."""

    failure: Failure | None
    returned: TypedValue | None = None
    outputs: tuple[tuple[str, TypedValue | None], ...] = ()


# The real host fails what runs in a worker that dies; nothing is run a second time.
_DIED = Failure("python exited while the function was running")


class Worker:
    """One process and its channel."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pid: int | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._channel = FrameProtocol(self._on_frame, self._on_lost)
        self._indexed: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting: dict[str, asyncio.Future[Done]] = {}
        self._lost = asyncio.Event()

    @property
    def busy(self) -> int:
        return len(self._waiting)

    async def start(self, directory: Path, environment: dict[str, str]) -> None:
        """Start the process in *directory*."""
        own_end, worker_end = socket.socketpair()
        with worker_end:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "local.host.worker", str(worker_end.fileno())),
                cwd=directory,
                env=environment,
                pass_fds=[worker_end.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=_LONGEST_LINE,
            )
        self.pid = self._process.pid
        await asyncio.get_running_loop().create_unix_connection(lambda: self._channel, sock=own_end)

    async def index(self, directory: Path) -> list[object]:
        """Index the app of *directory*; return its functions as described.

        Raises:
            WorkerStartError: The process ended or took too long.
            StartError: The app could not be indexed.

        """
        self._channel.send(["init", str(directory)])
        try:
            frame = await asyncio.wait_for(self._indexed, _INDEX_S)
        except TimeoutError:
            sentence = f"the app was not indexed within {_INDEX_S:.0f} s"
            raise WorkerStartError(sentence) from None
        if frame[0] == "ready" and isinstance(frame[1], list):
            return frame[1]
        if frame[0] == _ENDED:
            raise WorkerStartError("the app could not be indexed: the worker process ended")
        raise StartError(refusal(str(frame[1]), str(frame[2]), directory))

    async def run(self, call: Call) -> Done:
        """Run *call*; when the process dies meanwhile, return that as the failure."""
        if self.is_lost:
            return Done(_DIED)
        invocation_id = str(uuid.uuid4())
        done: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._waiting[invocation_id] = done
        self._channel.send(
            [
                *("invoke", invocation_id, call.function_id, call.inputs, call.metadata),
                *(call.traceparent, call.retry_count, call.max_retry_count),
            ]
        )
        try:
            return await done
        finally:
            self._waiting.pop(invocation_id, None)

    async def watch(self) -> str:
        """Pass the process's output on, line by line, until it has ended; say how it ended."""
        process = self._process
        if process is None or process.stdout is None:
            return "was never started"
        while not process.stdout.at_eof():
            with contextlib.suppress(ValueError):  # a line beyond every bound is passed over
                line = await process.stdout.readline()
                text = line.decode(errors="replace").rstrip()
                if text:
                    sys.stderr.write(f"[{self.name}] {text}\n")
        code = await process.wait()
        self._on_lost()
        return f"exited with code {128 - code if code < 0 else code}"

    def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        self._channel.close()

    def _on_frame(self, frame: Frame) -> None:
        if frame[0] != "done":
            if not self._indexed.done():
                self._indexed.set_result(frame)
            return
        done = self._waiting.get(str(frame[1]))
        if done is not None and not done.done():
            done.set_result(_done(frame))

    def _on_lost(self) -> None:
        self._lost.set()
        if not self._indexed.done():
            self._indexed.set_result([_ENDED])
        for done in self._waiting.values():
            if not done.done():
                done.set_result(Done(_DIED))

    @property
    def is_lost(self) -> bool:
        return self._lost.is_set()

    async def wait_lost(self) -> None:
        await self._lost.wait()


def _done(frame: Frame) -> Done:
    _, _, ok, returned, outputs, message, stack = frame
    if not ok:
        return Done(Failure(str(message), str(stack or "")))
    pairs = outputs if isinstance(outputs, list) else []
    return Done(
        failure=None,
        returned=_typed_value(returned),
        outputs=tuple((name, _typed_value(value)) for name, value in pairs),
    )


def _typed_value(value: object) -> TypedValue | None:
    return TypedValue(*value) if isinstance(value, list) else None
