"""Change feeds: what follows from stored messages and from changed conversations."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import azure.functions as func

from triggers.bindings import COSMOS, DATABASE, PUSHES
from triggers.lazy import batches, documents, push

if TYPE_CHECKING:
    from shared.composition import Chat
    from shared.domain.events import Effect
    from triggers.batches import Handler

bp = func.Blueprint()

_POLL_MS: Final = 1000
_MOST: Final = 100

# By the names of their functions, under which the queue keeps documents to be handled again.
HANDLERS: Final[dict[str, "Handler"]] = {}


def on_change(
    *,
    container: str,
    leases: str,
    longest: str = "00:01:00",
    pushes: bool = False,
    one_by_one: bool = False,
) -> Callable[["Handler"], Any]:
    """Register a handler of a container's changes: `handler(chat, items)`, which returns pushes.

    Each function has leases of its own. A batch that fails because a service does not answer is
    tried again without end. A document that fails alone goes into the queue: see `batches`.

    Args:
        longest: The longest wait before a batch is tried again, hh:mm:ss.
        pushes: The handler may return pushes, so the function gets their binding.
        one_by_one: The work on one document may take long.
    """

    def register(handler: "Handler") -> Any:  # noqa: ANN401  # the library's own builder
        name = handler.__name__

        async def handle(changed: func.DocumentList) -> "list[Effect]":
            texts = documents.texts(changed)
            return await batches.handle(name, handler, texts, one_by_one=one_by_one)

        function = _pushing(handle) if pushes else _silent(handle)
        function.__name__, function.__doc__ = name, handler.__doc__
        HANDLERS[name] = handler
        return _triggered(function, container, leases, longest, pushes=pushes)

    return register


def _silent(handle: Callable[..., Any]) -> Any:  # noqa: ANN401
    async def function(documents: func.DocumentList) -> None:
        await handle(documents)

    return function


def _pushing(handle: Callable[..., Any]) -> Any:  # noqa: ANN401
    async def function(documents: func.DocumentList, pushes: func.Out[str]) -> None:
        push.send(pushes, await handle(documents))

    return function


def _triggered(
    function: Any,  # noqa: ANN401
    container: str,
    leases: str,
    longest: str,
    *,
    pushes: bool,
) -> Any:  # noqa: ANN401
    if pushes:
        function = bp.generic_output_binding(**PUSHES)(function)
    retried = bp.retry(
        strategy="exponential_backoff",
        max_retry_count="-1",
        minimum_interval="00:00:01",
        maximum_interval=longest,
    )(function)
    return bp.cosmos_db_trigger(
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


@on_change(container="messages", leases="notify")
async def notify_absent(chat: "Chat", items: list[Any]) -> "list[Effect]":
    """Queue notification jobs for members who have not acknowledged these messages."""
    await chat.notification_planning.decide(documents.messages(items))
    return []


@on_change(container="messages", leases="heads", longest="00:00:05")
async def reconcile_heads(chat: "Chat", items: list[Any]) -> "list[Effect]":
    """Record in live state the messages that a crash kept from it; waits while live state is down.

    Messages of erased senders are emptied first, because live state keeps a copy of the newest one.
    """
    messages = await chat.eraser.empty_late(documents.messages(items))
    await chat.head_reconciler.reconcile(messages)
    return []


@on_change(container="messages", leases="files", pushes=True, one_by_one=True)
async def process_attachments(chat: "Chat", items: list[Any]) -> "list[Effect]":
    """Make thumbnails of the pictures in these messages, and bring late verdicts to them."""
    return await chat.files.process(documents.messages(items))


@on_change(container="conversations", leases="memberships", longest="00:00:05")
async def reconcile_memberships(chat: "Chat", items: list[Any]) -> "list[Effect]":
    """Complete the memberships of conversations that changed, if a crash came between.

    Waits while live state or SignalR Service is down.
    """
    for conversation in documents.conversations(items):
        await chat.membership.reconcile(conversation)
    return []
