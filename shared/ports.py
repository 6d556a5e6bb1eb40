"""What the chat needs of the outside, by role. Adapters name technologies; these do not.

Stores: `get_` raises, `find_` returns None, `list_` returns a page, `append` and `add` insert only,
`put` and `replace` overwrite. Every method may raise UnavailableError: the service behind it did
not answer, and whether a write took place is unknown.
"""

from collections.abc import Iterable
from collections.abc import Sequence as Series
from datetime import datetime
from typing import Protocol

from shared.domain.attachment import Attachment, Granted, StoredBlob, UploadGrant
from shared.domain.conversation import Conversation
from shared.domain.ids import (
    AttachmentId,
    ClientMessageId,
    ConnectionId,
    ConversationId,
    Sequence,
    UserId,
)
from shared.domain.live import (
    Acknowledged,
    Call,
    CallState,
    FlushedState,
    Head,
    InboxEntry,
    LiveConversation,
    LiveSummary,
)
from shared.domain.message import Message, Original
from shared.domain.notification import Notice, Notification
from shared.domain.presence import Presence
from shared.domain.receipt import Receipt
from shared.domain.user import Principal, Subscription, User


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the time as an aware UTC datetime, whole milliseconds."""
        ...


class Ids(Protocol):
    def new_conversation_id(self) -> ConversationId: ...

    def new_attachment_id(self) -> AttachmentId: ...

    def new_client_message_id(self) -> ClientMessageId:
        """Return a fresh id for a message the system writes."""
        ...


class MessageStore(Protocol):
    """History. One partition per conversation and bucket; an item never changes."""

    async def append(self, message: Message) -> None:
        """Write *message* at its sequence: one point write in one partition.

        Raises:
            SequenceTakenError: That sequence is stored already, or that sender's
                `client_message_id` is stored already in the same bucket.
        """
        ...

    async def find_original(
        self, message: Message, *, bucket: int | None, proof: Sequence | None = None
    ) -> Original:
        """Look for what *message*'s sender stored under its client message id.

        Args:
            bucket: The one bucket to look in; None looks in all, one query over the key's prefix.
            proof: A sequence that must be visible for a "no" to be final: reads may lag, but in
                one partition what was stored before a visible item is visible too.
        """
        ...

    async def find(self, conversation_id: ConversationId, sequence: Sequence) -> Message | None: ...

    async def list_range(
        self, conversation_id: ConversationId, first: Sequence, last: Sequence
    ) -> list[Message]:
        """Return the messages *first* to *last* in rising sequence.

        A message that is not there yet for this reader is left out: reads may lag.
        """
        ...

    async def find_newest(
        self, conversation_id: ConversationId, *, at_least: Sequence
    ) -> Message | None:
        """Return the newest message, looking from *at_least*'s bucket onwards."""
        ...


class SequenceTakenError(Exception):
    """Another writer got there first; look again and propose the next sequence."""


class VersionConflictError(Exception):
    """What was to be replaced has changed since it was read; read it again."""


class ConversationStore(Protocol):
    async def find(self, conversation_id: ConversationId) -> Conversation | None: ...

    async def find_with_state(
        self, conversation_id: ConversationId
    ) -> tuple[Conversation, FlushedState] | None: ...

    async def find_many(self, ids: Iterable[ConversationId]) -> list[Conversation]:
        """Return those of *ids* that exist, in any order: one request however many."""
        ...

    async def add(self, conversation: Conversation) -> Conversation | None:
        """Insert *conversation*; return None when its id is there already."""
        ...

    async def replace(self, conversation: Conversation) -> Conversation:
        """Overwrite the version before *conversation*'s own.

        Raises:
            VersionConflictError: It has changed since.
        """
        ...

    async def save_state(self, state: LiveConversation) -> None:
        """Record heads and receipts, unless a later snapshot is recorded already: one write."""
        ...


class MembershipStore(Protocol):
    """Which conversations a user is in: what an inbox is rebuilt from."""

    async def put(self, user_id: UserId, conversation_id: ConversationId, at: datetime) -> None: ...

    async def remove(self, user_id: UserId, conversation_id: ConversationId) -> None: ...

    async def list_all(self, user_id: UserId) -> list[ConversationId]: ...


class UserStore(Protocol):
    async def find(self, user_id: UserId) -> User | None: ...

    async def find_many(self, ids: Iterable[UserId]) -> list[User]:
        """Return those of *ids* that exist, in any order: one request however many."""
        ...

    async def add(self, user: User) -> User | None:
        """Insert *user*; return None when the id is there already."""
        ...

    async def replace(self, user: User) -> User:
        """Overwrite the state that *user* was read from.

        Raises:
            VersionConflictError: It has changed since.
        """
        ...


class LiveState(Protocol):
    """Everything that is fast and may be lost: heads, receipts, presence, limits, inbox order.

    Each method is one round trip unless it says otherwise.
    """

    async def enter(self, call: Call) -> CallState:
        """Renew the caller's lease and take a token."""
        ...

    async def enter_conversation(
        self, call: Call, conversation_id: ConversationId
    ) -> tuple[CallState, Head]:
        """Enter, and read the conversation's head and version."""
        ...

    async def record_sent(self, message: Message, members: Iterable[UserId]) -> None:
        """Raise the head, the sender's own receipt, and every member's inbox and activity."""
        ...

    async def heartbeat(self, call: Call) -> tuple[CallState, int]:
        """Enter, and return the count of messages to this user."""
        ...

    async def acknowledge(
        self,
        call: Call,
        conversation: Conversation,
        *,
        delivered: Sequence,
        read: Sequence,
        now: datetime,
    ) -> tuple[CallState, Acknowledged]:
        """Enter, and merge the watermarks if the conversation is known at this version."""
        ...

    async def seed(
        self, conversation: Conversation, newest: Message | None, receipts: Iterable[Receipt]
    ) -> None:
        """Make a conversation known, merging by maximum with whatever is there."""
        ...

    async def head(self, conversation_id: ConversationId) -> Head: ...

    async def receipts(
        self, conversation_id: ConversationId
    ) -> tuple[Head, dict[UserId, Receipt]]: ...

    async def summaries(
        self, user_id: UserId, ids: Series[ConversationId]
    ) -> list[LiveSummary]: ...

    async def set_version(self, conversation_id: ConversationId, version: int) -> None:
        """Raise the version that caches are compared with."""
        ...

    async def repaired_version(self, conversation_id: ConversationId) -> int:
        """Return the newest version whose derived state was completed; 0 when none is known."""
        ...

    async def mark_repaired(self, conversation_id: ConversationId, version: int) -> None: ...

    async def inbox_page(
        self, user_id: UserId, *, limit: int, after: InboxEntry | None
    ) -> list[InboxEntry] | None:
        """Return up to *limit* entries, newest activity first; None when the inbox is lost."""
        ...

    async def fill_inbox(self, user_id: UserId, entries: Iterable[InboxEntry]) -> None: ...

    async def put_inbox(self, user_ids: Iterable[UserId], entry: InboxEntry) -> None: ...

    async def drop_inbox(self, user_id: UserId, conversation_id: ConversationId) -> None: ...

    async def dirty_conversations(self, *, limit: int) -> list[ConversationId]:
        """Return conversations whose heads or receipts changed since their last flush."""
        ...

    async def snapshot(self, conversation_id: ConversationId) -> LiveConversation:
        """Take what a flush writes; its head is not `known` when live state has lost it."""
        ...

    async def flushed(self, state: LiveConversation) -> None:
        """Mark as clean what has not changed since *state* was taken."""
        ...


class PresenceStore(Protocol):
    """Leases and last signs of life. Each method is one round trip."""

    async def close(self, user_id: UserId, connection_id: ConnectionId) -> bool:
        """End a lease for good, known or not yet; return whether the user went offline by it."""
        ...

    async def list_presences(self, user_ids: Series[UserId]) -> list[Presence]: ...

    async def lapse(self, *, limit: int) -> list[Presence]:
        """End up to *limit* lapsed leases; return who went offline by it."""
        ...

    async def connections(self, user_id: UserId) -> list[ConnectionId]: ...

    async def swap_watched(
        self, connection_id: ConnectionId, user_ids: Iterable[UserId]
    ) -> set[UserId]:
        """Remember what a connection watches; return what it watched before."""
        ...

    async def publish(self, presence: Presence) -> None:
        """Tell the website, which listens on the channel `presence`."""
        ...

    async def mark_typing(
        self, user_id: UserId, conversation_id: ConversationId, *, typing: bool
    ) -> bool:
        """Tell whether this typing signal is news: throttled, never stored."""
        ...


class NoticeMarks(Protocol):
    """What was notified already, so that one conversation rings once per collapse window."""

    async def claim(
        self, user_id: UserId, conversation_id: ConversationId, up_to: Sequence
    ) -> bool:
        """Return whether *up_to* is still to be notified, and mark it so."""
        ...

    async def release(
        self, user_id: UserId, conversation_id: ConversationId, up_to: Sequence
    ) -> None:
        """Take back a claim whose notification could not be delivered."""
        ...


class Bus(Protocol):
    async def send(self, notice: Notice, *, delay_s: float = 0) -> None:
        """Queue *notice*; a repeat of the same one within ten minutes is dropped."""
        ...


class NotificationChannel(Protocol):
    async def deliver(self, subscription: Subscription, notification: Notification) -> bool:
        """Hand *notification* to the device's push service; False when the device is gone for good.

        Raises:
            UnavailableError: Try again later.
        """
        ...


class BlobStore(Protocol):
    """Uploaded files. A grant is remembered beside the file, so that neither can be forged."""

    async def grant_upload(
        self, conversation_id: ConversationId, attachment: Attachment, owner: UserId
    ) -> UploadGrant:
        """Remember the grant and return leave to create that one blob, never to overwrite it."""
        ...

    async def find_grant(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> Granted | None: ...

    async def find_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> StoredBlob | None:
        """Return what was uploaded, with its first bytes; None when nothing was yet."""
        ...

    async def put_grant(self, conversation_id: ConversationId, grant: Granted) -> None:
        """Replace what is remembered of a file."""
        ...

    async def read_url(self, conversation_id: ConversationId, attachment: Attachment) -> str:
        """Return a URL that lets anyone read this one blob for a few minutes."""
        ...


class TokenVerifier(Protocol):
    async def verify(self, token: str) -> Principal:
        """Return who *token* proves.

        Raises:
            UnauthenticatedError: Forged, expired, for someone else, or not a token at all.
        """
        ...


class Probe(Protocol):
    async def check(self) -> None:
        """Ask the service behind an adapter for a sign of life.

        Raises:
            UnavailableError: None came.
        """
        ...
