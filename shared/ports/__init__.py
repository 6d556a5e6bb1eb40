"""What the chat needs of the outside, by role. Adapters name technologies; these do not.

Stores: `get_` raises, `find_` returns None, `list_` returns a page, `append` and `add` insert only,
`put` and `replace` overwrite. Every method may raise UnavailableError: the service behind it did
not answer, and whether a write took place is unknown.
"""

from shared.ports.calls import AccountState, AccountStates, Call, Callers, CallState, Token
from shared.ports.connections import ConnectionHub
from shared.ports.epochs import Epochs
from shared.ports.files import (
    BlobStore,
    Granted,
    Images,
    StoredBlob,
    Unsettled,
    UploadGrant,
    UploadLedger,
)
from shared.ports.flush import FlushedState, FlushState, LiveConversation
from shared.ports.group_memberships import GroupMemberships
from shared.ports.heads import (
    Acknowledged,
    ConversationHeads,
    Outcome,
    SenderErasedError,
)
from shared.ports.inbox import InboxEntry, InboxState, LiveSummary, Touches
from shared.ports.jobs import FeedItem, Job, ReconcileStep, Reflush
from shared.ports.live import LiveState
from shared.ports.notifications import Bus, NoticeMarks, NotificationChannel
from shared.ports.outside import Clock, Ids, Probe, TokenVerifier
from shared.ports.ports import Ports
from shared.ports.presence import PresenceStore
from shared.ports.reconciled import ReconciledVersions
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
    "Granted",
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
    "NoticeMarks",
    "NotificationChannel",
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
    "UserStore",
    "VersionConflictError",
]
