"""Notifications: decided, delivered, and dismissed when another device has read them."""

from dataclasses import dataclass

from shared.composition.capabilities.basis import Basis
from shared.config import Settings
from shared.ports import Ports
from shared.services.clearing import Clearing
from shared.services.device_notifier import DeviceNotifier
from shared.services.devices import Devices
from shared.services.notification_planning import NotificationPlanning
from shared.services.notifications import Notifications


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationServices:
    """Notifications: decided, delivered, and dismissed when another device has read them."""

    planning: NotificationPlanning
    notifications: Notifications
    clearing: Clearing


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
