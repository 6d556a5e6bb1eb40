"""One of each port, as the services are built over them: adapters in the app, twins in a test."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.ports.connections import ConnectionHub
from shared.ports.files import BlobStore, Images, UploadLedger
from shared.ports.infrastructure import Clock, Ids, Probe, TokenVerifier
from shared.ports.live_state.calls import AccountStates
from shared.ports.live_state.live import LiveState
from shared.ports.live_state.presence import PresenceStore
from shared.ports.notifications import Bus, NotificationChannel, NotificationClaims
from shared.ports.stores import ConversationStore, MembershipStore, MessageStore, UserStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What each room of services takes its own parts from.

    Args:
        probes: The services that `health` asks for a sign of life, by the name it shows.
        push_public_key: The application server key that browsers subscribe with, base64url.
    """

    messages: MessageStore
    conversations: ConversationStore
    memberships: MembershipStore
    users: UserStore
    live: LiveState
    presence: PresenceStore
    hub: ConnectionHub
    accounts: AccountStates
    claims: NotificationClaims
    bus: Bus
    channel: NotificationChannel
    blobs: BlobStore
    uploads: UploadLedger
    images: Images
    verifier: TokenVerifier
    clock: Clock
    ids: Ids
    probes: Mapping[str, Probe]
    push_public_key: str = ""
