"""Notifications in the words of APNs and FCM, as Notification Hubs passes them on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.domain.people.notification import Dismissal, Notification
from shared.domain.people.user import Platform

_KEEP: Final = "86400s"  # how long FCM holds one for a sleeping device


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request's own headers and its body."""

    headers: Mapping[str, str]
    body: bytes


def showing(platform: Platform, notification: Notification) -> Outgoing:
    """Return what makes a device show *notification*, instead of an older one of its tag."""
    alert = {"title": notification.title, "body": notification.body}
    about: dict[str, Any] = {
        "conversationId": notification.conversation_id,
        "sequence": notification.sequence,
    }
    if platform == "apns":
        shown = {"alert": alert, "sound": "default", "thread-id": notification.tag}
        return _apple({"aps": shown, **about}, notification.tag, kind="alert", priority="10")
    return _firebase({"notification": alert, "data": _texts(about)}, notification.tag, "high")


def clearing(platform: Platform, dismissal: Dismissal) -> Outgoing:
    """Return what wakes the app without a sound, to take its notifications back."""
    about: dict[str, Any] = {
        "clear": True,
        "conversationId": dismissal.conversation_id,
        "upTo": dismissal.up_to,
    }
    if platform == "apns":
        silent = {"aps": {"content-available": 1}, **about}
        return _apple(silent, dismissal.tag, kind="background", priority="5")
    return _firebase({"data": _texts(about)}, dismissal.tag, "normal")


def _apple(payload: Mapping[str, Any], tag: str, *, kind: str, priority: str) -> Outgoing:
    headers = {
        "ServiceBusNotification-Format": "apple",
        "apns-collapse-id": tag,  # at most 64 bytes; a conversation's id has 34
        "apns-push-type": kind,
        "apns-priority": priority,
    }
    return Outgoing(headers, _json(payload))


def _firebase(message: Mapping[str, Any], tag: str, priority: str) -> Outgoing:
    android: dict[str, Any] = {"collapse_key": tag, "priority": priority, "ttl": _KEEP}
    if "notification" in message:
        android["notification"] = {"tag": tag}
    whole = {"message": {**message, "android": android}}
    return Outgoing({"ServiceBusNotification-Format": "fcmv1"}, _json(whole))


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    # The values of FCM's data must be strings.
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
