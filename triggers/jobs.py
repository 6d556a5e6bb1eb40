"""Does the jobs of the queue: each kind of job by its own service."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

import azure.functions as func

from shared.adapters.service_bus.jobs import job_from
from shared.bootstrap import chat
from shared.domain.events import Effect
from shared.domain.people.notification import NotificationJob
from shared.ports import FeedItem, Job, ReconcileStep, Reflush
from triggers import batches

logger = logging.getLogger("parley")

# Of jobs that are tried again or go on for long; far below host.json's functionTimeout of 300 s.
_DEADLINE_S: Final = 120.0


def job_of(message: func.ServiceBusMessage) -> Job:
    """Return the job that *message* holds.

    Raises:
        ValueError, KeyError, TypeError: It holds none, and ends as a dead letter.
    """
    return job_from(message.get_body())


def traceparent(message: func.ServiceBusMessage) -> object:
    """Return the trace that the sender of *message* named, if any."""
    return (message.application_properties or {}).get("traceparent")


async def do(job: Job, handlers: Mapping[str, batches.Handler]) -> list[Effect]:
    """Do *job*, and return the pushes that follow.

    Args:
        handlers: The change feed's, by the names of their functions.

    Raises:
        Exception: What the service raises, or TimeoutError after two minutes. The queue delivers
            the job again, and after some tries keeps it as a dead letter.
    """
    if isinstance(job, NotificationJob):
        await _deliver(job)
        return []
    async with asyncio.timeout(_DEADLINE_S):
        effects = await _again(job, handlers)
    logger.info("deliver_notification ok again=%s", _name(job))
    return effects


async def _deliver(job: NotificationJob) -> None:
    services = await chat()
    work = services.dismissal if job.clear else services.notifications
    count = await work.deliver(job)
    logger.info(
        "deliver_notification ok conversation=%s up_to=%d %s=%d",
        job.conversation_id,
        job.up_to,
        "cleared" if job.clear else "notified",
        count,
    )


async def _again(
    job: FeedItem | Reflush | ReconcileStep, handlers: Mapping[str, batches.Handler]
) -> list[Effect]:
    services = await chat()
    match job:
        case FeedItem(function, document):
            return await batches.handle_all(handlers[function], [document])
        case Reflush(conversation_id):
            await services.receipt_flush.flush_again(conversation_id)
        case ReconcileStep():
            await services.reconciliation.step(job)
    return []


def _name(job: FeedItem | Reflush | ReconcileStep) -> str:
    return job.function if isinstance(job, FeedItem) else type(job).__name__
