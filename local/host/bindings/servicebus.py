"""serviceBusTrigger: messages under peek-lock, through the real `azure-servicebus`.

One receiver, kept open, belongs to one task, which receives, renews locks and settles: the SDK
does not allow two tasks on a receiver. Functions run beside it, up to maxConcurrentCalls.
Source: Service Bus extension 5.17, `MessageProcessor`; host.json's `serviceBus` section.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import override

from azure.core.exceptions import AzureError
from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver
from azure.servicebus.exceptions import (
    MessageAlreadySettled,
    MessageLockLostError,
    MessagingEntityNotFoundError,
)

from local.host.bindings.servicebus_message import admin_event, event_of, refuse_topics
from local.host.context import Context, Trigger
from local.host.errors import NoWorkerError
from local.host.invoker import Invocable, InvocationError, TriggerEvent

logger = logging.getLogger(__name__)

_IDLE_WAIT_S = 5.0
_GLANCE_S = 0.05  # how long to look for more messages, or for ends, while functions run
_RENEW_BEFORE = timedelta(seconds=15)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0

# What runs, and since when.
type _Running = dict[asyncio.Task[bool], tuple[ServiceBusReceivedMessage, datetime]]


class ServiceBusTrigger(Trigger):
    """Properties: `connection`, `queueName`, `dataType`."""

    def __init__(self, invocable: Invocable, context: Context) -> None:
        super().__init__(invocable, context)
        binding = self._binding
        refuse_topics(binding)
        binding.refuse_unknown(
            "connection", "queueName", "accessRights", "cardinality", "isSessionsEnabled"
        )
        if binding.text("cardinality", "one").lower() != "one":
            raise binding.error("cardinality many is not served by this host")
        if binding.flag("isSessionsEnabled", default=False):
            raise binding.error("sessions are not served by this host")
        self._queue = binding.text("queueName")
        self._reported = ""
        self._connection = context.settings.require(binding.text("connection"))
        self._is_binary = binding.text("dataType", "string").lower() == "binary"
        self._running: _Running = {}
        self._orphans: set[asyncio.Task[bool]] = set()

    @override
    async def run(self) -> None:
        """Receive forever; while the broker is down, try again with growing pauses."""
        pause_s = _FIRST_PAUSE_S
        loop = asyncio.get_running_loop()
        while True:
            started_at = loop.time()
            try:
                async with (
                    # Its own retries would hold a restarted broker's messages back for long.
                    ServiceBusClient.from_connection_string(
                        self._connection, retry_total=0
                    ) as client,
                    self._receiver(client) as receiver,
                ):
                    self._reported = ""
                    await self._pump(receiver)
            except MessagingEntityNotFoundError:
                self._report_missing_queue()
            except (AzureError, OSError, ValueError) as error:
                logger.warning(
                    "%s: Service Bus is unreachable: %s", self.invocable.name, type(error).__name__
                )
            self._forget_running()
            if loop.time() - started_at > _LONGEST_PAUSE_S:
                pause_s = _FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _report_missing_queue(self) -> None:
        # The trigger retries forever, since somebody may make the queue, and reports it once.
        sentence = f"queue {self._queue} does not exist; declare it in the data model"
        if sentence != self._reported:
            logger.error("%s: %s", self.invocable.name, sentence)
        self._reported = sentence

    def _receiver(self, client: ServiceBusClient) -> ServiceBusReceiver:
        prefetch = self._context.host_json.bus_prefetch_count
        return client.get_queue_receiver(self._queue, prefetch_count=prefetch)

    async def _pump(self, receiver: ServiceBusReceiver) -> None:
        most = self._context.host_json.bus_max_concurrent_calls
        while True:
            if self._running:
                await asyncio.wait(
                    self._running, timeout=_GLANCE_S, return_when=asyncio.FIRST_COMPLETED
                )
                await self._settle_ended(receiver)
                await self._renew_locks(receiver)
            free = most - len(self._running)
            if free > 0:
                wait_s = _GLANCE_S if self._running else _IDLE_WAIT_S
                for message in await receiver.receive_messages(free, max_wait_time=wait_s):
                    task = asyncio.create_task(self._invoke(message))
                    self._running[task] = (message, datetime.now(UTC))

    def _forget_running(self) -> None:
        # It ends by itself: a message can be settled through its own receiver only.
        for task in self._running:
            self._orphans.add(task)
            task.add_done_callback(self._orphans.discard)
        self._running = {}

    async def _invoke(self, message: ServiceBusReceivedMessage) -> bool:
        try:
            await self._context.invoker.invoke(
                self.invocable, event_of(message, is_binary=self._is_binary)
            )
        except (InvocationError, NoWorkerError):
            return False
        return True

    async def _settle_ended(self, receiver: ServiceBusReceiver) -> None:
        for task in [each for each in self._running if each.done()]:
            message, _ = self._running.pop(task)
            if task.result() and not self._context.host_json.bus_auto_complete:
                continue
            settle = receiver.complete_message if task.result() else receiver.abandon_message
            try:
                await settle(message)
            except (MessageLockLostError, MessageAlreadySettled):
                logger.warning(
                    "%s: the lock of message %s was lost", self.invocable.name, message.message_id
                )

    # A function may run longer than its message's lock. The task that receives also renews: at most
    # every _GLANCE_S it looks at each running message, and renews a lock that ends within
    # _RENEW_BEFORE. A renewal and a settlement cannot race, because this one task does both, and
    # a message leaves `_running` before it is settled. A lock that is lost all the same (the
    # broker was killed) is logged; the message is delivered again, as on Azure.

    async def _renew_locks(self, receiver: ServiceBusReceiver) -> None:
        longest = timedelta(seconds=self._context.host_json.bus_max_lock_renewal_s)
        now = datetime.now(UTC)
        for message, started_at in self._running.values():
            locked_until = message.locked_until_utc
            if locked_until is None or now - started_at > longest:
                continue
            if locked_until.replace(tzinfo=UTC) - now < _RENEW_BEFORE:
                try:
                    await receiver.renew_message_lock(message)
                except MessageLockLostError:
                    logger.warning("%s: a lock was lost", self.invocable.name)

    @override
    def event_for(self, text: str) -> TriggerEvent:
        return admin_event(text)
