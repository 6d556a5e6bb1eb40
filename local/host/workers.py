"""Worker processes: started, watched, replaced at once when they die, used least busy first."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from local.host.errors import Failure, NoWorkerError, StartError
from local.host.refusal import PACKAGES
from local.host.worker_process import Call, Done, Worker

logger = logging.getLogger(__name__)

_WAIT_S = 10.0  # how long an invocation waits for a worker that is coming up
_END_S = 1.0  # for a killed process to be reaped
_PROJECT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class _Slot:
    name: str
    worker: Worker | None = None
    restarts: int = 0


Prepare = Callable[[Worker, list[object]], Awaitable[None]]


class WorkerPool:
    """As many workers as asked for, for as long as `run` runs.

    *prepare* is awaited for each new worker, with the functions it indexed, before it gets its
    first call: the first time to set the host up, and to run the app's warmup functions.
    """

    def __init__(
        self, count: int, directory: Path, settings: dict[str, str], prepare: Prepare
    ) -> None:
        self._slots = [_Slot(f"worker-{number}") for number in range(1, count + 1)]
        self._directory = directory
        # The app's own directory comes first: the worker puts it there.
        paths = [str(directory / PACKAGES), str(_PROJECT), settings.get("PYTHONPATH", "")]
        self._environment = {
            **settings,
            "PYTHONPATH": ":".join(filter(None, paths)),
            "PYTHONUNBUFFERED": "1",
            "FUNCTIONS_WORKER_RUNTIME": "python",
        }
        self._prepare = prepare
        self._ready: list[Worker] = []
        self._some_ready = asyncio.Event()

    @property
    def is_ready(self) -> bool:
        return bool(self._ready)

    async def call(self, call: Call, timeout_s: float) -> Done:
        """Run *call* on the least busy worker, waiting up to 10 s for one.

        A call that takes longer than *timeout_s* costs its worker its life, as in Azure.

        Raises:
            NoWorkerError: No worker became ready in time.

        """
        worker = await self._pick()
        try:
            async with asyncio.timeout(timeout_s):
                return await worker.run(call)
        except TimeoutError:
            worker.kill()
            return Done(Failure(f"Timeout value of {timeout_s:.0f} s exceeded by function"))

    async def _pick(self) -> Worker:
        worker = self._least_busy()
        if worker is not None:
            return worker
        try:
            async with asyncio.timeout(_WAIT_S):
                while worker is None:
                    await self._some_ready.wait()
                    await asyncio.sleep(0)
                    worker = self._least_busy()
        except TimeoutError:
            raise NoWorkerError(f"no worker became ready within {_WAIT_S:.0f} s") from None
        return worker

    def _least_busy(self) -> Worker | None:
        alive = (worker for worker in self._ready if not worker.is_lost)
        return min(alive, key=lambda worker: worker.busy, default=None)

    def processes(self) -> list[dict[str, object]]:
        """Return name, pid and restarts of each worker, for the control surface."""
        return [
            {"name": slot.name, "pid": slot.worker and slot.worker.pid, "restarts": slot.restarts}
            for slot in self._slots
        ]

    async def run(self) -> None:
        """Keep the workers running until cancelled; then end them.

        Raises:
            StartError: The first start of a worker failed.

        """
        try:
            async with asyncio.TaskGroup() as group:
                for slot in self._slots:
                    group.create_task(self._keep(slot))
        except* StartError as errors:
            raise errors.exceptions[0] from None
        finally:
            for slot in self._slots:
                if slot.worker is not None:
                    slot.worker.kill()

    async def _keep(self, slot: _Slot) -> None:
        failed_starts = 0
        while True:
            worker = slot.worker = Worker(slot.name)
            started_at = time.monotonic()
            try:
                await self._live(worker)
                failed_starts = 0
            except StartError as error:
                if slot.restarts == 0:
                    raise
                failed_starts += 1
                logger.warning("%s: %s", slot.name, error)
            slot.restarts += 1
            if failed_starts or time.monotonic() - started_at < 1:
                await asyncio.sleep(min(0.5 * 2**failed_starts, 10))

    async def _live(self, worker: Worker) -> None:
        await worker.start(self._directory, self._environment)
        log = asyncio.create_task(worker.watch())
        try:
            await self._prepare(worker, await worker.index(self._directory))
            if not worker.is_lost:
                self._ready.append(worker)
                self._some_ready.set()
                logger.info("%s is ready (pid %s)", worker.name, worker.pid)
            await worker.wait_lost()
            self._dismiss(worker)
            worker.kill()
            logger.warning("%s (pid %s) %s", worker.name, worker.pid, await log)
        finally:
            self._dismiss(worker)
            worker.kill()
            await asyncio.wait([log], timeout=_END_S)
            log.cancel()

    def _dismiss(self, worker: Worker) -> None:
        if worker in self._ready:
            self._ready.remove(worker)
        if not self._ready:
            self._some_ready.clear()
