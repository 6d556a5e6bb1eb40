"""A Service Bus message as the worker's `ServiceBusMessage` converter expects it."""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from azure.servicebus import ServiceBusReceivedMessage

from local.host.functions import Binding
from local.host.invoker import TriggerEvent
from local.host.typed_value import TypedValue, encoded, string


def refuse_topics(binding: Binding) -> None:
    """Refuse a binding to a topic or subscription.

    Raises:
        StartError: It names one.

    """
    for name in ("topicName", "subscriptionName"):
        if binding.properties.get(name):
            raise binding.error(f"{name} is not served: the local broker has queues, no topics")


def event_of(message: ServiceBusReceivedMessage, *, is_binary: bool) -> TriggerEvent:
    """Return *message* as a trigger value with its metadata.

    A body is text unless the binding's dataType is binary, as in the real host: bytes that are
    not UTF-8 arrive mangled.
    """
    body = _body(message)
    return TriggerEvent(
        value=TypedValue("bytes", body) if is_binary else string(body.decode(errors="replace")),
        metadata=_metadata(message),
        traceparent=_traceparent(message),
    )


def admin_event(text: str) -> TriggerEvent:
    """Return the event of a message with body *text* that never was in a queue."""
    now = datetime.now(UTC)
    properties: dict[str, object] = {}
    metadata = {
        "MessageId": string(uuid.uuid4().hex),
        "DeliveryCount": encoded(1),
        "EnqueuedTimeUtc": encoded(now.isoformat()),
        "ApplicationProperties": encoded(properties),
        "UserProperties": encoded(properties),
    }
    return TriggerEvent(string(text), metadata)


def _body(message: ServiceBusReceivedMessage) -> bytes:
    body = message.body
    if isinstance(body, str | bytes):
        return body.encode() if isinstance(body, str) else body
    parts = list(body)
    if all(isinstance(part, bytes) for part in parts):
        return b"".join(parts)
    return json.dumps(parts, default=str).encode()


def _metadata(message: ServiceBusReceivedMessage) -> dict[str, TypedValue]:
    properties = _properties(message.application_properties)
    expires_at = message.expires_at_utc
    values: dict[str, object] = {
        "MessageId": message.message_id,
        "DeliveryCount": (message.delivery_count or 0) + 1,
        "LockToken": None if message.lock_token is None else str(message.lock_token),
        "LockedUntil": _moment(message.locked_until_utc),
        "SequenceNumber": message.sequence_number,
        "EnqueuedSequenceNumber": message.enqueued_sequence_number,
        "EnqueuedTimeUtc": _moment(message.enqueued_time_utc),
        "ExpiresAtUtc": _moment(expires_at),
        "ScheduledEnqueueTimeUtc": _moment(message.scheduled_enqueue_time_utc),
        "ContentType": message.content_type,
        "CorrelationId": message.correlation_id,
        "Label": message.subject,
        "Subject": message.subject,
        "To": message.to,
        "ReplyTo": message.reply_to,
        "ReplyToSessionId": message.reply_to_session_id,
        "SessionId": message.session_id,
        "PartitionKey": message.partition_key,
        "DeadLetterSource": message.dead_letter_source,
        "DeadLetterReason": message.dead_letter_reason,
        "DeadLetterErrorDescription": message.dead_letter_error_description,
        "ApplicationProperties": properties,
        "UserProperties": properties,
    }
    return {
        name: string(value) if isinstance(value, str) else encoded(value)
        for name, value in values.items()
        if value is not None
    }


def _properties(properties: Mapping[str | bytes, object] | None) -> dict[str, object]:
    return {_text(key): _plain(value) for key, value in (properties or {}).items()}


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.replace(tzinfo=UTC).isoformat()


def _traceparent(message: ServiceBusReceivedMessage) -> str:
    properties = _properties(message.application_properties)
    return str(properties.get("traceparent") or properties.get("Diagnostic-Id") or "")
