"""What the chat needs of the outside, by role. Adapters name technologies; these do not.

Stores: `get_` raises, `find_` returns None, `list_` returns a page, `append` and `add` insert only,
`put` and `replace` overwrite. Every method may raise UnavailableError: the service behind it did
not answer, and whether a write took place is unknown.
"""

from shared.ports.connections import ConnectionHub
from shared.ports.files import (
    BlobStore,
    Images,
    StoredBlob,
    Unsettled,
    UploadGrant,
    UploadLedger,
    UploadRecord,
)
from shared.ports.infrastructure import Clock, Ids, Probe, TokenVerifier
from shared.ports.jobs import FeedItem, Job, ReconcileStep, Reflush
from shared.ports.live_state.calls import (
    AccountState,
    AccountStates,
    Call,
    Callers,
    CallState,
    Token,
)
from shared.ports.live_state.epochs import Epochs
from shared.ports.live_state.flush import FlushedState, FlushState, LiveConversation
from shared.ports.live_state.group_memberships import GroupMemberships
from shared.ports.live_state.heads import (
    Acknowledged,
    ConversationHeads,
    Outcome,
    SenderErasedError,
)
from shared.ports.live_state.inbox import InboxEntry, InboxState, LiveSummary, Touches
from shared.ports.live_state.live import LiveState
from shared.ports.live_state.presence import PresenceStore
from shared.ports.live_state.reconciled import ReconciledVersions
from shared.ports.notifications import Bus, NotificationChannel, NotificationClaims
from shared.ports.ports import Ports
from shared.ports.stores import (
    ConversationStore,
    MembershipStore,
    MessageStore,
    Original,
    SequenceTakenError,
    UserStore,
    VersionConflictError,
)

__all__ = [
    "AccountState",
    "AccountStates",
    "Acknowledged",
    "BlobStore",
    "Bus",
    "Call",
    "CallState",
    "Callers",
    "Clock",
    "ConnectionHub",
    "ConversationHeads",
    "ConversationStore",
    "Epochs",
    "FeedItem",
    "FlushState",
    "FlushedState",
    "GroupMemberships",
    "Ids",
    "Images",
    "InboxEntry",
    "InboxState",
    "Job",
    "LiveConversation",
    "LiveState",
    "LiveSummary",
    "MembershipStore",
    "MessageStore",
    "NotificationChannel",
    "NotificationClaims",
    "Original",
    "Outcome",
    "Ports",
    "PresenceStore",
    "Probe",
    "ReconcileStep",
    "ReconciledVersions",
    "Reflush",
    "SenderErasedError",
    "SequenceTakenError",
    "StoredBlob",
    "Token",
    "TokenVerifier",
    "Touches",
    "Unsettled",
    "UploadGrant",
    "UploadLedger",
    "UploadRecord",
    "UserStore",
    "VersionConflictError",
]
