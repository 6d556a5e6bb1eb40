"""What the chat needs of the outside, by role. Adapters name technologies; these do not.

Stores: `get_` raises, `find_` returns None, `list_` returns a page, `append` and `add` insert only,
`put` and `replace` overwrite. Every method may raise UnavailableError: the service behind it did
not answer, and whether a write took place is unknown.
"""

from shared.ports.connections import ConnectionHub
from shared.ports.inbox import InboxState
from shared.ports.live import (
    AccountStates,
    LiveState,
    NoticeMarks,
    PresenceStore,
    SenderErasedError,
)
from shared.ports.outside import (
    BlobStore,
    Bus,
    Clock,
    Ids,
    Images,
    NotificationChannel,
    Probe,
    TokenVerifier,
)
from shared.ports.stores import (
    ConversationStore,
    MembershipStore,
    MessageStore,
    SequenceTakenError,
    UserStore,
    VersionConflictError,
)
from shared.ports.uploads import UploadLedger

__all__ = [
    "AccountStates",
    "BlobStore",
    "Bus",
    "Clock",
    "ConnectionHub",
    "ConversationStore",
    "Ids",
    "Images",
    "InboxState",
    "LiveState",
    "MembershipStore",
    "MessageStore",
    "NoticeMarks",
    "NotificationChannel",
    "PresenceStore",
    "Probe",
    "SenderErasedError",
    "SequenceTakenError",
    "TokenVerifier",
    "UploadLedger",
    "UserStore",
    "VersionConflictError",
]
