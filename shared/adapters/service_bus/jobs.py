"""Jobs as messages of the queue.

The forms are those of earlier versions of the app. While a new version is deployed, workers of both
read the same queue, and dead letters may be replayed weeks later; so a form is never changed, only
added, and every one that was ever written is read. A notification job has a form of its own. Every
other job names a function and carries a document as JSON text, with the reason why it is in the
queue:

- `flush_receipts` with a conversation's id: `Reflush`,
- `rebuild` with {run, after}: `ReconcileStep`,
- any other function with a document of the change feed: `FeedItem`. A function that was renamed
  since keeps the name that earlier versions know.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from shared.adapters.items import Item
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.people.notification import NotificationJob
from shared.ports import FeedItem, Job, ReconcileStep, Reflush

_REFLUSH: Final = "flush_receipts"
_RECONCILE: Final = "rebuild"
_NEXT_STEP: Final = "next step"
# What a function of the change feed is called on the queue, where that is not its name.
_ON_THE_QUEUE: Final = {
    "reconcile_heads": "confirm_heads",
    "reconcile_memberships": "complete_memberships",
}
_IN_THE_APP: Final = {queued: name for name, queued in _ON_THE_QUEUE.items()}


@dataclass(frozen=True, slots=True)
class Envelope:
    """A job as the queue takes it.

    Args:
        message_id: Makes a repeat of the job a duplicate to the queue.
        properties: What is shown of the message without opening it.
    """

    message_id: str
    body: str
    properties: dict[str, str]


def envelope(job: Job) -> Envelope:
    """Return *job* as a message."""
    if isinstance(job, NotificationJob):
        return Envelope(_notification_id(job), json.dumps(_notification_item(job)), {})
    item = _item(job)
    function, reason = item["function"], item["reason"]
    identifier = hashlib.sha256(f"{function} {item['document']}".encode()).hexdigest()
    return Envelope(identifier, json.dumps(item), {"function": function, "reason": reason})


def job_from(body: str | bytes) -> Job:
    """Return the job that a message's body describes.

    Raises:
        ValueError, KeyError, TypeError: It describes none.
    """
    item = json.loads(body)
    if "function" not in item:
        return _notification_from(item)
    function, document, reason = item["function"], item["document"], item["reason"]
    if function == _REFLUSH:
        return Reflush(ConversationId(json.loads(document)), reason)
    if function == _RECONCILE:
        step = json.loads(document)
        return ReconcileStep(step["run"], step["after"])
    return FeedItem(_IN_THE_APP.get(function, function), document, reason)


def _item(job: FeedItem | Reflush | ReconcileStep) -> Item:
    match job:
        case FeedItem(function, document, reason):
            queued = _ON_THE_QUEUE.get(function, function)
            return {"function": queued, "document": document, "reason": reason}
        case Reflush(conversation_id, reason):
            document = json.dumps(conversation_id)
            return {"function": _REFLUSH, "document": document, "reason": reason}
        case ReconcileStep(run, after):
            document = json.dumps({"run": run, "after": after})
            return {"function": _RECONCILE, "document": document, "reason": _NEXT_STEP}


def _notification_id(job: NotificationJob) -> str:
    recipients = ",".join(sorted(job.recipients))
    digest = hashlib.sha256(recipients.encode()).hexdigest()[:16]
    span = f"{job.first}-{job.up_to}"
    what = "clear" if job.clear else job.attempt
    return f"{job.conversation_id}:{span}:{digest}:{what}"


def _notification_item(job: NotificationJob) -> Item:
    return {
        "conversationId": job.conversation_id,
        "first": job.first,
        "upTo": job.up_to,
        "recipients": list(job.recipients),
        "attempt": job.attempt,
        **({"clear": True} if job.clear else {}),
    }


def _notification_from(item: Item) -> NotificationJob:
    return NotificationJob(
        ConversationId(item["conversationId"]),
        SequenceNumber(item["first"]),
        SequenceNumber(item["upTo"]),
        tuple(UserId(user) for user in item["recipients"]),
        item["attempt"],
        item.get("clear", False),
    )
