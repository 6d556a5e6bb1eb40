"""Durable stores: history, conversations, memberships, users."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.conversations.conversation import Conversation
from shared.domain.conversations.mute import Mute
from shared.domain.ids import (
    ConversationId,
    SequenceNumber,
    UserId,
)
from shared.domain.messages.attachment import Attachment
from shared.domain.messages.message import Message
from shared.domain.people.user import User
from shared.ports.live_state.flush import FlushedState, LiveConversation


@dataclass(frozen=True, slots=True)
class Original:
    """The answer of a look-up in one bucket.

    Args:
        message: The original, or None.
        proven: The proof asked for was visible, so a None is final.
    """

    message: Message | None
    proven: bool


class MessageStore(Protocol):
    """History. One partition per conversation and bucket; only an erasure changes an item."""

    async def append(self, message: Message) -> None:
        """Write *message* at its sequence: one point write in one partition.

        Raises:
            SequenceTakenError: That sequence is stored already, or that sender's
                `client_message_id` is stored already in the same bucket.
        """
        ...

    async def find_original(
        self, message: Message, *, bucket: int | None, proof: SequenceNumber | None = None
    ) -> Original:
        """Look for what *message*'s sender stored under its client message id.

        Args:
            bucket: The one bucket to look in; None looks in all, one query over the key's prefix.
            proof: A sequence that must be visible for a "no" to be final: reads may lag, but in
                one partition what was stored before a visible item is visible too.
        """
        ...

    async def find(
        self, conversation_id: ConversationId, sequence: SequenceNumber
    ) -> Message | None: ...

    async def find_many(
        self, places: Iterable[tuple[ConversationId, SequenceNumber]]
    ) -> list[Message]:
        """Return the messages that exist at *places*, in any order: one request for a few hundred.

        Args:
            places: Each in a conversation of its own.
        """
        ...

    async def age_s(
        self, conversation_id: ConversationId, sequence: SequenceNumber
    ) -> float | None:
        """Return for how many seconds, at least, the store has held a message: by its own clock.

        None when it is not there yet for this reader. No worker's clock counts: `sent_at` is of
        the one that wrote the message, and clocks differ.
        """
        ...

    async def list_range(
        self, conversation_id: ConversationId, first: SequenceNumber, last: SequenceNumber
    ) -> list[Message]:
        """Return the messages *first* to *last* in rising sequence.

        A message that is not there yet for this reader is left out: reads may lag.
        """
        ...

    async def set_attachment(
        self, conversation_id: ConversationId, sequence: SequenceNumber, attachment: Attachment
    ) -> None:
        """Replace one attachment of a stored message: its state is all of it that ever changes."""
        ...

    async def find_newest(
        self, conversation_id: ConversationId, *, at_least: SequenceNumber
    ) -> Message | None:
        """Return the newest message, looking from *at_least*'s bucket onwards."""
        ...

    async def list_written_in(self, sender_id: UserId) -> set[ConversationId]:
        """Return the conversations *sender_id* ever wrote in, left ones too.

        Asks every partition: for exports and erasures alone.
        """
        ...

    async def list_sent(
        self,
        conversation_id: ConversationId,
        sender_id: UserId,
        *,
        after: SequenceNumber,
        limit: int,
    ) -> list[Message]:
        """Return the first *limit* messages of one sender after a sequence, in rising sequence."""
        ...

    async def erase(self, message: Message) -> None:
        """Empty the body and attachments of a stored message; its item and sequence stay."""
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
        """Return those of *ids* that exist, in any order: one request for each 200."""
        ...

    async def find_many_with_state(
        self, ids: Iterable[ConversationId]
    ) -> list[tuple[Conversation, FlushedState]]:
        """Return those of *ids* that exist as last flushed, in any order, as cheaply."""
        ...

    async def list_ids(self, after: str, *, limit: int) -> tuple[list[ConversationId], str]:
        """Return some *limit* conversations in the order they last changed, and where that ends.

        Args:
            after: Where an earlier list ended; empty to begin.
        """
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

    async def save_state(
        self, state: LiveConversation, *, active_from: datetime | None = None
    ) -> None:
        """Record heads and receipts on top of the flush that *state* follows: one write.

        Args:
            active_from: What the memberships of all members have been made to say before this
                call; None when they were left as they are.

        Raises:
            VersionConflictError: Another flush is recorded there, or the conversation is gone:
                live state has lost time, or another flush was quicker. Merge, then flush again.
                Or the memberships must be renewed first (`domain/activity.py`).
        """
        ...


class MembershipStore(Protocol):
    """Which conversations a user is in, from which inboxes are reconciled; and the user's mutes."""

    async def put(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        at: datetime,
        *,
        active_from: datetime | None = None,
    ) -> None:
        """Add the membership; one that is there stays as it is, with its mute.

        Args:
            at: When the user joined.
            active_from: Now, by the caller's clock: no message recorded so far is much later. None
                leaves the membership without a bound.
        """
        ...

    async def renew(
        self, user_id: UserId, conversation_id: ConversationId, active_from: datetime
    ) -> None:
        """Raise the membership's `active_from`; never lowers it, never adds a membership."""
        ...

    async def remove(self, user_id: UserId, conversation_id: ConversationId) -> None: ...

    async def list_all(self, user_id: UserId) -> dict[ConversationId, datetime]:
        """Return the user's conversations, and when they joined each."""
        ...

    async def list_newest(
        self, user_id: UserId, *, limit: int
    ) -> list[tuple[ConversationId, datetime]] | None:
        """Return up to *limit* conversations with their `active_from`, the latest first.

        None when a membership of the user has none: any conversation may be the newest then.
        """
        ...

    async def list_active(self, user_id: UserId, *, after: datetime) -> list[ConversationId]:
        """Return the conversations whose `active_from` is later than *after*, in any order."""
        ...

    async def mute(
        self, user_id: UserId, conversation_id: ConversationId, until: datetime | None
    ) -> Mute | None:
        """Set the user's mute, and return it with its order; None without such a membership."""
        ...

    async def mutes(
        self, conversation_id: ConversationId, users: Iterable[UserId]
    ) -> dict[UserId, Mute]:
        """Return what the memberships of *users* say: one request for all.

        Left out: who is no member, and whose membership never said anything.
        """
        ...

    async def mutes_of(
        self, user_id: UserId, ids: Iterable[ConversationId]
    ) -> dict[ConversationId, Mute]:
        """Return what one user's memberships say, as `mutes` does."""
        ...


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

    async def find_endpoint_owner(self, endpoint: str) -> UserId | None:
        """Return the one user whose notifications go to this endpoint of a push service."""
        ...

    async def claim_endpoint(self, endpoint: str, user_id: UserId, *, after: UserId | None) -> bool:
        """Make *user_id* the owner of an endpoint; False if its owner is not *after* any more."""
        ...

    async def release_endpoint(self, endpoint: str, user_id: UserId) -> None:
        """Leave an endpoint without an owner, if that is *user_id*."""
        ...
