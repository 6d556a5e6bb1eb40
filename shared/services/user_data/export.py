"""One user's data, for the website to hand to them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.conversations.conversation import Conversation
from shared.domain.conversations.mute import UNSAID, Mute, muted_until
from shared.domain.ids import ConversationId, UserId
from shared.domain.messages.attachment import Attachment
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt
from shared.domain.people.user import User
from shared.ports import BlobStore, Clock, MembershipStore
from shared.services.conversations.reader import ConversationReader
from shared.services.user_data.walk import BEGINNING, Position, UserDataWalk


@dataclass(frozen=True, slots=True)
class ExportedConversation:
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
    conversations: list[ExportedConversation]
    messages: list[Message]
    files: list[SentFile]
    position: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Collects what chat has of a user."""

    walk: UserDataWalk
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
        user = await self.walk.user(user_id)
        if position is None:
            return ExportStep(user, [], [], [], BEGINNING)
        batches, following = await self.walk.batches(user_id, position)
        first_seen = [batch.conversation_id for batch in batches if batch.is_first]
        messages = [message for batch in batches for message in batch.messages]
        return ExportStep(
            None,
            await self._conversations(user_id, first_seen),
            messages,
            await self._files(messages),
            following,
        )

    async def _conversations(
        self, user_id: UserId, ids: list[ConversationId]
    ) -> list[ExportedConversation]:
        conversations = await self.reader.find_many(dict.fromkeys(ids))
        by_id = {conversation.id: conversation for conversation in conversations}
        mutes = await self.memberships.mutes_of(user_id, dict.fromkeys(by_id))
        return [
            await self._conversation(user_id, each, by_id.get(each), mutes.get(each, UNSAID))
            for each in ids
        ]

    async def _conversation(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        conversation: Conversation | None,
        mute: Mute,
    ) -> ExportedConversation:
        member = conversation.find_member(user_id) if conversation else None
        if conversation is None or member is None:
            return ExportedConversation(conversation_id, None, None)
        _, receipts = await self.reader.receipts(conversation)
        receipt = receipts.get(user_id) or Receipt(conversation_id, user_id)
        until = muted_until(member, mute, now=self.clock.now())
        return ExportedConversation(conversation_id, conversation, receipt, until)

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
