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
    """A conversation the user is in, or was: then there is no more to say of it than its id."""

    conversation_id: ConversationId
    conversation: Conversation | None
    receipt: Receipt | None
    muted_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file the user sent; `url` reads it for a few minutes, None for one that may not be read."""

    message: Message
    attachment: Attachment
    url: str | None


@dataclass(frozen=True, slots=True)
class ExportStep:
    """A part of the whole; the user in the first one alone."""

    user: User | None
    places: list[Place]
    messages: list[Message]
    files: list[SentFile]
    position: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Collects what chat has of one user."""

    trail: Trail
    reader: ConversationReader
    memberships: MembershipStore
    blobs: BlobStore
    clock: Clock

    async def step(self, user_id: UserId, position: Position | None) -> ExportStep:
        """Return the part at *position*, from None to None; reading changes nothing.

        Raises:
            UserNotFoundError: Chat has never heard of this user.
            UnavailableError: A store did not answer; ask for this part again.
        """
        user = await self.trail.user(user_id)
        if position is None:
            return ExportStep(user, [], [], [], BEGINNING)
        portions, following = await self.trail.walk(user_id, position)
        begun = [portion.conversation_id for portion in portions if portion.is_first]
        messages = [message for portion in portions for message in portion.messages]
        return ExportStep(
            None,
            await self._places(user_id, begun),
            messages,
            await self._files(messages),
            following,
        )

    async def _places(self, user_id: UserId, ids: list[ConversationId]) -> list[Place]:
        found = {one.id: one for one in await self.reader.find_many(dict.fromkeys(ids))}
        mutes = await self.memberships.mutes_of(user_id, dict.fromkeys(found))
        return [
            await self._place(user_id, one, found.get(one), mutes.get(one, UNSAID)) for one in ids
        ]

    async def _place(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        found: Conversation | None,
        mute: Mute,
    ) -> Place:
        member = found.find_member(user_id) if found else None
        if found is None or member is None:
            return Place(conversation_id, None, None)
        _, receipts = await self.reader.receipts(found)
        receipt = receipts.get(user_id) or Receipt(found.id, user_id)
        return Place(found.id, found, receipt, muted_until(member, mute, now=self.clock.now()))

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
