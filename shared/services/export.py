"""One user's data, for the website to hand to them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.attachment import Attachment
from shared.domain.conversation import Conversation
from shared.domain.ids import ConversationId, UserId
from shared.domain.message import Message
from shared.domain.mute import UNSAID, Mute, muted_until
from shared.domain.receipt import Receipt
from shared.domain.user import User
from shared.ports import BlobStore, Clock, MembershipStore
from shared.services.privacy import BEGINNING, Position, Trail
from shared.services.reader import ConversationReader


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation that the user is in; of one that they have left, only its id is known."""

    conversation_id: ConversationId
    conversation: Conversation | None
    receipt: Receipt | None
    muted_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that the user sent.

    Args:
        url: Reads the file for a few minutes; None for a file that the scanner refused.
    """

    message: Message
    attachment: Attachment
    url: str | None


@dataclass(frozen=True, slots=True)
class ExportStep:
    """A part of the export; only the first part has the user."""

    user: User | None
    places: list[Place]
    messages: list[Message]
    files: list[SentFile]
    position: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Collects what chat has of a user."""

    trail: Trail
    reader: ConversationReader
    memberships: MembershipStore
    blobs: BlobStore
    clock: Clock

    async def step(self, user_id: UserId, position: Position | None) -> ExportStep:
        """Return the part at *position*, from None to None. Reading changes nothing.

        Raises:
            UserNotFoundError: Chat has never heard of this user.
            UnavailableError: A store did not answer; ask for this part again.
        """
        user = await self.trail.user(user_id)
        if position is None:
            return ExportStep(user, [], [], [], BEGINNING)
        portions, following = await self.trail.walk(user_id, position)
        first_seen = [portion.conversation_id for portion in portions if portion.is_first]
        messages = [message for portion in portions for message in portion.messages]
        return ExportStep(
            None,
            await self._places(user_id, first_seen),
            messages,
            await self._files(messages),
            following,
        )

    async def _places(self, user_id: UserId, ids: list[ConversationId]) -> list[Place]:
        conversations = await self.reader.find_many(dict.fromkeys(ids))
        by_id = {conversation.id: conversation for conversation in conversations}
        mutes = await self.memberships.mutes_of(user_id, dict.fromkeys(by_id))
        return [
            await self._place(user_id, each, by_id.get(each), mutes.get(each, UNSAID))
            for each in ids
        ]

    async def _place(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        conversation: Conversation | None,
        mute: Mute,
    ) -> Place:
        member = conversation.find_member(user_id) if conversation else None
        if conversation is None or member is None:
            return Place(conversation_id, None, None)
        _, receipts = await self.reader.receipts(conversation)
        receipt = receipts.get(user_id) or Receipt(conversation_id, user_id)
        until = muted_until(member, mute, now=self.clock.now())
        return Place(conversation_id, conversation, receipt, until)

    async def _files(self, messages: Iterable[Message]) -> list[SentFile]:
        return [
            SentFile(message, attachment, await self._url(message, attachment))
            for message in messages
            for attachment in message.attachments
        ]

    async def _url(self, message: Message, attachment: Attachment) -> str | None:
        if attachment.state == "rejected":
            return None
        return await self.blobs.read_url(message.conversation_id, attachment)
