"""The chat as the triggers see it: its services by name, built over the ports."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.composition.capabilities.admin import build_admin
from shared.composition.capabilities.basis import build_basis
from shared.composition.capabilities.conversations import build_conversations
from shared.composition.capabilities.files import build_files
from shared.composition.capabilities.messages import build_messages
from shared.composition.capabilities.notifications import build_notifications
from shared.composition.capabilities.people import build_people
from shared.composition.capabilities.presence import build_presence
from shared.composition.capabilities.receipts import build_receipts
from shared.composition.clients import Clients
from shared.config import Settings
from shared.ports import Bus, Ports, Probe, TokenVerifier
from shared.services.accounts import Accounts
from shared.services.admission import Admission
from shared.services.attachments import Attachments
from shared.services.clearing import Clearing
from shared.services.connections import Connections
from shared.services.conversations import Conversations
from shared.services.devices import Devices
from shared.services.erasure import Erasure
from shared.services.export import Export
from shared.services.files import Files
from shared.services.healing import Healing
from shared.services.health import Health, HealthCheck
from shared.services.history import History
from shared.services.inbox import Inbox
from shared.services.membership import Membership
from shared.services.message_eraser import MessageEraser
from shared.services.muting import Muting
from shared.services.new_conversations import NewConversations
from shared.services.notification_planning import NotificationPlanning
from shared.services.notifications import Notifications
from shared.services.posting import Posting
from shared.services.presences import Presences
from shared.services.rebuild import Rebuild
from shared.services.receipt_flush import ReceiptFlush
from shared.services.receipts import Receipts
from shared.services.sync import Sync
from shared.services.typing import TypingSignals
from shared.services.upload_sweep import UploadSweep


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Everything the triggers call.

    Args:
        clients: What `aclose` ends; None over twins, which open nothing.
    """

    settings: Settings
    verifier: TokenVerifier
    admission: Admission
    push_public_key: str
    posting: Posting
    receipts: Receipts
    receipt_flush: ReceiptFlush
    presences: Presences
    connections: Connections
    typing: TypingSignals
    new_conversations: NewConversations
    conversations: Conversations
    membership: Membership
    muting: Muting
    history: History
    sync: Sync
    inbox: Inbox
    attachments: Attachments
    files: Files
    upload_sweep: UploadSweep
    healing: Healing
    accounts: Accounts
    devices: Devices
    notification_planning: NotificationPlanning
    notifications: Notifications
    clearing: Clearing
    rebuild: Rebuild
    bus: Bus
    export: Export
    erasure: Erasure
    eraser: MessageEraser
    probes: Mapping[str, Probe]
    check_health: HealthCheck
    clients: Clients | None = None

    async def health(self) -> Health:
        """Tell whether the services behind the chat answer."""
        return await self.check_health()

    async def aclose(self) -> None:
        """End the checks and rebuilds under way, and then the clients that they use."""
        await self.check_health.aclose()
        await self.inbox.order.aclose()
        if self.clients is not None:
            await self.clients.aclose()


def compose(settings: Settings) -> Chat:
    """Build the chat over the real services that *settings* name."""
    clients = Clients(settings)
    return build_services(settings, clients.ports(), clients)


def build_services(settings: Settings, ports: Ports, clients: Clients | None = None) -> Chat:
    """Build the services over *ports*, each capability after those that it uses."""
    basis = build_basis(ports)
    files = build_files(ports, settings, basis)
    messages = build_messages(ports, settings, basis, files.attachments)
    conversing = build_conversations(ports, settings, basis, messages.posting)
    users = build_people(ports, basis, conversing)
    presence = build_presence(ports, settings, basis, conversing)
    notifying = build_notifications(ports, settings, basis, users.devices)
    acknowledging = build_receipts(ports, basis, notifying.clearing)
    admin = build_admin(ports, basis, conversing, messages.eraser)
    return Chat(
        settings=settings,
        verifier=ports.verifier,
        admission=basis.admission,
        push_public_key=ports.push_public_key,
        posting=messages.posting,
        receipts=acknowledging.receipts,
        receipt_flush=acknowledging.flush,
        presences=presence.presences,
        connections=presence.connections,
        typing=presence.typing,
        new_conversations=conversing.new_conversations,
        conversations=conversing.conversations,
        membership=conversing.membership,
        muting=conversing.muting,
        history=messages.history,
        sync=conversing.sync,
        inbox=conversing.inbox,
        attachments=files.attachments,
        files=files.processing,
        upload_sweep=files.sweep,
        healing=messages.healing,
        accounts=users.accounts,
        devices=users.devices,
        notification_planning=notifying.planning,
        notifications=notifying.notifications,
        clearing=notifying.clearing,
        rebuild=admin.rebuild,
        bus=ports.bus,
        export=admin.export,
        erasure=admin.erasure,
        eraser=messages.eraser,
        probes=ports.probes,
        check_health=admin.check_health,
        clients=clients,
    )
