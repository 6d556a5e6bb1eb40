"""Receipts, notifications and administration: what goes on behind the calls.

Acknowledging is a call as well, but it leads to flushes and to notifications that are dismissed,
so receipts are built after the notifications.
"""

from dataclasses import dataclass

from shared.composition.request_path import Basis, ConversationServices
from shared.config import Settings
from shared.ports import Ports
from shared.services.account_eraser import AccountEraser
from shared.services.clearing import Clearing
from shared.services.device_notifier import DeviceNotifier
from shared.services.devices import Devices
from shared.services.erasure import Erasure
from shared.services.export import Export
from shared.services.health import HealthCheck
from shared.services.message_eraser import MessageEraser
from shared.services.notification_planning import NotificationPlanning
from shared.services.notifications import Notifications
from shared.services.rebuild import Rebuild
from shared.services.receipt_flush import ReceiptFlush
from shared.services.receipts import Receipts
from shared.services.renewals import Renewals
from shared.services.user_data_walk import UserDataWalk


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationServices:
    """Notifications: decided, delivered, and dismissed when another device has read them."""

    planning: NotificationPlanning
    notifications: Notifications
    clearing: Clearing


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptServices:
    """Receipts: acknowledged, and flushed to the store."""

    receipts: Receipts
    flush: ReceiptFlush


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminServices:
    """What operators and the website start, and the answer to `health`."""

    rebuild: Rebuild
    export: Export
    erasure: Erasure
    check_health: HealthCheck


def build_notifications(
    ports: Ports, settings: Settings, basis: Basis, devices: Devices
) -> NotificationServices:
    clearing = Clearing(
        marks=ports.marks,
        bus=ports.bus,
        users=ports.users,
        devices=devices,
        channel=ports.channel,
    )
    planning = NotificationPlanning(
        reader=basis.reader,
        presence=ports.presence,
        bus=ports.bus,
        delay_s=settings.timing.notify_delay_s,
    )
    notifications = Notifications(
        reader=basis.reader,
        users=ports.users,
        memberships=ports.memberships,
        notifier=DeviceNotifier(marks=ports.marks, channel=ports.channel, devices=devices),
        bus=ports.bus,
        clock=ports.clock,
    )
    return NotificationServices(planning=planning, notifications=notifications, clearing=clearing)


def build_receipts(ports: Ports, basis: Basis, clearing: Clearing) -> ReceiptServices:
    receipts = Receipts(
        admission=basis.admission, reader=basis.reader, live=ports.live, clock=ports.clock
    )
    flush = ReceiptFlush(
        reader=basis.reader,
        live=ports.live,
        store=ports.conversations,
        clearing=clearing,
        bus=ports.bus,
        renewals=Renewals(memberships=ports.memberships, store=ports.conversations),
    )
    return ReceiptServices(receipts=receipts, flush=flush)


def build_admin(
    ports: Ports, basis: Basis, conversing: ConversationServices, eraser: MessageEraser
) -> AdminServices:
    walk = UserDataWalk(users=ports.users, memberships=ports.memberships, messages=ports.messages)
    rebuild = Rebuild(
        reader=basis.reader,
        order=conversing.inbox.order,
        memberships=ports.memberships,
        live=ports.live,
        bus=ports.bus,
        clock=ports.clock,
    )
    export = Export(
        walk=walk,
        reader=basis.reader,
        memberships=ports.memberships,
        blobs=ports.blobs,
        clock=ports.clock,
    )
    account = AccountEraser(
        users=ports.users,
        erased=basis.erased,
        live=ports.live,
        presence=ports.presence,
        hub=ports.hub,
    )
    erasure = Erasure(
        walk=walk,
        account=account,
        writer=conversing.writer,
        membership=conversing.membership,
        eraser=eraser,
    )
    return AdminServices(
        rebuild=rebuild,
        export=export,
        erasure=erasure,
        check_health=HealthCheck(ports.probes),
    )
