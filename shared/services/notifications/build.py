"""Notifications: decided, delivered, and dismissed when another device has read them."""

from dataclasses import dataclass

from shared.config import Settings
from shared.ports import Ports
from shared.services.admission.build import Basis
from shared.services.notifications.device_notifier import DeviceNotifier
from shared.services.notifications.devices import Devices
from shared.services.notifications.dismissal import NotificationDismissal
from shared.services.notifications.notifications import Notifications
from shared.services.notifications.planning import NotificationPlanning


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationServices:
    """Notifications: decided, delivered, and dismissed when another device has read them."""

    planning: NotificationPlanning
    notifications: Notifications
    dismissal: NotificationDismissal


def build_notifications(
    ports: Ports, settings: Settings, basis: Basis, devices: Devices
) -> NotificationServices:
    dismissal = NotificationDismissal(
        claims=ports.claims,
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
        notifier=DeviceNotifier(claims=ports.claims, channel=ports.channel, devices=devices),
        bus=ports.bus,
        clock=ports.clock,
    )
    return NotificationServices(planning=planning, notifications=notifications, dismissal=dismissal)
