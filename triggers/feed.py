"""Change feeds: stored messages become notices; changed conversations complete what is derived."""

from collections.abc import Callable
from typing import Any, Final

import azure.functions as func

from triggers.bindings import COSMOS, DATABASE, PUSHES
from triggers.lazy import batches, push
from triggers.lazy import documents as stored

bp = func.Blueprint()

_POLL_MS: Final = 1000
_MOST: Final = 100

type Handler = Any  # a coroutine function, or the library's builder around one
type Register = Callable[[Handler], Any]


def on_change(name: str, *, container: str, leases: str, longest: str = "00:01:00") -> Register:
    """Register a handler of a container's changes, with leases of its own.

    A batch that fails is tried again for ever, at the latest *longest* (hh:mm:ss) after.
    """

    def register(handler: Handler) -> Any:  # noqa: ANN401  # the library's own builder
        retried = bp.retry(
            strategy="exponential_backoff",
            max_retry_count="-1",
            minimum_interval="00:00:01",
            maximum_interval=longest,
        )(handler)
        triggered = bp.cosmos_db_trigger(
            arg_name="documents",
            connection=COSMOS,
            database_name=DATABASE,
            container_name=container,
            lease_container_name="leases",
            lease_container_prefix=leases,
            create_lease_container_if_not_exists=False,
            feed_poll_delay=_POLL_MS,
            max_items_per_invocation=_MOST,
        )(retried)
        return bp.function_name(name)(triggered)

    return register


@on_change("notify_absent", container="messages", leases="notify")
async def notify_absent(documents: func.DocumentList) -> None:
    """Queue notices for members who have not acknowledged these messages."""
    await batches.handle("notify_absent", stored.texts(documents))


@on_change("confirm_heads", container="messages", leases="heads", longest="00:00:05")
async def confirm_heads(documents: func.DocumentList) -> None:
    """Record in live state what a crash kept from it; waits while live state is down."""
    await batches.handle("confirm_heads", stored.texts(documents))


@on_change("process_attachments", container="messages", leases="files")
@bp.generic_output_binding(**PUSHES)
async def process_attachments(documents: func.DocumentList, pushes: func.Out[str]) -> None:
    """Make thumbnails of the pictures in these messages, and bring late verdicts to them."""
    push.send(pushes, await batches.handle("process_attachments", stored.texts(documents)))


@on_change(
    "complete_memberships", container="conversations", leases="memberships", longest="00:00:05"
)
async def complete_memberships(documents: func.DocumentList) -> None:
    """Complete the memberships of conversations that changed, if a crash came between.

    Waits while live state or SignalR Service is down.
    """
    await batches.handle("complete_memberships", stored.texts(documents))
