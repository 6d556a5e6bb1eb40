"""The chat as the triggers see it: its services by name, built over the ports."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.composition.clients import Clients
from shared.config import Settings
from shared.ports import Bus, Ports, Probe, TokenVerifier
from shared.services.admin.build import build_admin
from shared.services.admin.health import Health, HealthCheck
from shared.services.admin.reconciliation import Reconciliation
from shared.services.admission.admission import Admission
from shared.services.admission.build import build_basis
from shared.services.admission.connections import Connections
from shared.services.conversations.build import build_conversations
from shared.services.conversations.conversations import Conversations
from shared.services.conversations.membership import Membership
from shared.services.conversations.muting import Muting
from shared.services.conversations.new_conversations import NewConversations
from shared.services.files.attachment_processing import AttachmentProcessing
from shared.services.files.attachments import Attachments
from shared.services.files.build import build_files
from shared.services.files.upload_sweep import UploadSweep
from shared.services.inbox.inbox import Inbox
from shared.services.inbox.sync import Sync
from shared.services.messages.build import build_messages
from shared.services.messages.history import History
from shared.services.messages.posting import Posting
from shared.services.messages.typing import TypingSignals
from shared.services.notifications.build import build_notifications
from shared.services.notifications.devices import Devices
from shared.services.notifications.dismissal import NotificationDismissal
from shared.services.notifications.notifications import Notifications
from shared.services.notifications.planning import NotificationPlanning
from shared.services.people.accounts import Accounts
from shared.services.people.build import build_people
from shared.services.presence.build import build_presence
from shared.services.presence.presences import Presences
from shared.services.receipts.build import build_receipts
from shared.services.receipts.flush import ReceiptFlush
from shared.services.receipts.head_reconciler import HeadReconciler
from shared.services.receipts.receipts import Receipts
from shared.services.user_data.erasure import Erasure
from shared.services.user_data.export import Export
from shared.services.user_data.message_eraser import MessageEraser


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
    files: AttachmentProcessing
    upload_sweep: UploadSweep
    head_reconciler: HeadReconciler
    accounts: Accounts
    devices: Devices
    notification_planning: NotificationPlanning
    notifications: Notifications
    dismissal: NotificationDismissal
    reconciliation: Reconciliation
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
        """End the checks and reconciliations under way, and then the clients that they use."""
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
    acknowledging = build_receipts(ports, basis, notifying.dismissal)
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
        head_reconciler=messages.head_reconciler,
        accounts=users.accounts,
        devices=users.devices,
        notification_planning=notifying.planning,
        notifications=notifying.notifications,
        dismissal=notifying.dismissal,
        reconciliation=admin.reconciliation,
        bus=ports.bus,
        export=admin.export,
        erasure=admin.erasure,
        eraser=messages.eraser,
        probes=ports.probes,
        check_health=admin.check_health,
        clients=clients,
    )
