"""Opens the push services for the composition root."""

from collections.abc import Callable
from dataclasses import dataclass

from azure.core.credentials_async import AsyncTokenCredential

from shared.adapters.push.channels import Channels
from shared.adapters.push.notification_hubs import NotificationHubs
from shared.adapters.push.web_push import WebPush, public_key
from shared.config import Settings


@dataclass(frozen=True, slots=True)
class PushPorts:
    """One channel for every platform that is set up, and the key that browsers subscribe with."""

    channel: Channels
    public_key: str
    web: WebPush
    apps: NotificationHubs | None

    async def aclose(self) -> None:
        """End the connections to the push services, all of them also where one fails to end."""
        try:
            if self.apps is not None:
                await self.apps.aclose()
        finally:
            await self.web.aclose()


def open_push(settings: Settings, credential: Callable[[], AsyncTokenCredential]) -> PushPorts:
    """Return the channel to devices; nothing is sent yet."""
    web = WebPush(private_key=settings.vapid_private_key, subject=settings.vapid_subject)
    key = public_key(settings.vapid_private_key)
    if settings.notification_hub is None:
        return PushPorts(Channels({"webpush": web}), key, web, None)
    apps = NotificationHubs(settings.notification_hub, credential)
    return PushPorts(Channels({"webpush": web, "apns": apps, "fcmv1": apps}), key, web, apps)
