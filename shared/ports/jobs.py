"""Jobs: what one invocation leaves for another one to do, by way of the queue."""

from dataclasses import dataclass

from shared.domain.ids import ConversationId
from shared.domain.people.notification import NotificationJob


@dataclass(frozen=True, slots=True)
class FeedItem:
    """Handle again a document that a function of the change feed could not handle.

    Args:
        function: The function's name, as it is registered.
        document: What the function was given, as JSON.
        reason: The kind of failure and where; never its text, which may hold what users wrote.
    """

    function: str
    document: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reflush:
    """Flush again a conversation whose heads and receipts could not be read.

    Args:
        reason: The kind of failure, as in `FeedItem`.
    """

    conversation_id: ConversationId
    reason: str


@dataclass(frozen=True, slots=True)
class ReconcileStep:
    """Reconcile the next few hundred of all conversations, then queue the step after it.

    Args:
        run: When the whole run was started, in milliseconds: so that a step of another run is no
            duplicate of this one.
        after: Where the step before this one ended, as the store says it; empty at first.
    """

    run: int
    after: str


type Job = NotificationJob | FeedItem | Reflush | ReconcileStep
