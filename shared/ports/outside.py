"""The rest of the outside: clock, ids, tokens, queue, push services, files, signs of life."""

from datetime import datetime
from typing import Protocol

from shared.domain.attachment import (
    Attachment,
    Granted,
    StoredBlob,
    Unsettled,
    UploadGrant,
)
from shared.domain.ids import (
    AttachmentId,
    ClientMessageId,
    ConversationId,
    UserId,
)
from shared.domain.notification import Clearance, Notice, Notification
from shared.domain.set_aside import SetAside
from shared.domain.user import Principal, Subscription


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the time as an aware UTC datetime, whole milliseconds.

        For people to read, and for what one process alone compares: others' clocks differ.
        """
        ...

    def elapsed_s(self) -> float:
        """Return seconds since some moment; never goes back, nor jumps when the time is set."""
        ...


class Ids(Protocol):
    def new_conversation_id(self) -> ConversationId: ...

    def new_attachment_id(self) -> AttachmentId: ...

    def new_client_message_id(self) -> ClientMessageId:
        """Return a fresh id for a message the system writes."""
        ...


class Bus(Protocol):
    async def send(self, notice: Notice, *, delay_s: float = 0) -> None:
        """Queue *notice*; a repeat of the same one within ten minutes is dropped."""
        ...

    async def set_aside(self, item: SetAside) -> None:
        """Queue what a function could not handle; after five tries it is a dead letter."""
        ...

    async def replay(self, *, limit: int) -> int:
        """Move up to *limit* dead letters back into the queue; return how many there were."""
        ...


class NotificationChannel(Protocol):
    async def deliver(self, subscription: Subscription, notification: Notification) -> bool:
        """Hand *notification* to the device's push service; False when the device is gone for good.

        Raises:
            UnavailableError: Try again later.
        """
        ...

    async def clear(self, subscription: Subscription, clearance: Clearance) -> bool:
        """Take back what the device shows, silently; False when the device is gone for good.

        Does nothing where a push that shows nothing would cost the user the subscription.

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

    async def replace_grant(self, conversation_id: ConversationId, granted: Granted) -> None:
        """Overwrite what *granted* was read from.

        Raises:
            VersionConflictError: It has changed since.
        """
        ...

    async def find_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> StoredBlob | None:
        """Return what was uploaded, with its first bytes; None when nothing was yet."""
        ...

    async def size_of_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> int | None:
        """Return how many bytes were uploaded; None when nothing was yet."""
        ...

    async def discard_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> None:
        """Delete what was uploaded; the grant stays, and its link may be used until it ends."""
        ...

    async def read(self, conversation_id: ConversationId, attachment_id: AttachmentId) -> bytes: ...

    async def put_thumbnail(
        self, conversation_id: ConversationId, attachment_id: AttachmentId, data: bytes
    ) -> None: ...

    async def read_url(
        self, conversation_id: ConversationId, attachment: Attachment, *, thumbnail: bool = False
    ) -> str:
        """Return a URL that lets anyone read this one blob for a few minutes."""
        ...

    async def list_unsettled(
        self, *, before: datetime, limit: int, since: datetime | None = None
    ) -> list[Unsettled]:
        """Return uploads that no sweep has settled yet, oldest first.

        Args:
            before: Those granted in an hour before this one's.
            since: Those granted in this one's hour or later.
        """
        ...

    async def settle(
        self,
        conversation_id: ConversationId,
        attachment_id: AttachmentId,
        *,
        keep: bool,
        marked_at: datetime | None = None,
    ) -> None:
        """Take an upload off the sweep's list; without *keep*, delete grant, file and small copy.

        Args:
            marked_at: When it was granted, as the list says; needed where no grant is left.
        """
        ...


class Images(Protocol):
    """Pictures. Neither method raises for a broken one."""

    async def size(self, first_bytes: bytes) -> tuple[int, int] | None:
        """Return width and height in pixels, if its first bytes tell."""
        ...

    async def thumbnail(self, data: bytes) -> bytes | None:
        """Return a copy of at most 320 x 320 pixels as WebP, if it can be made."""
        ...


class TokenVerifier(Protocol):
    async def verify(self, token: str) -> Principal:
        """Return who *token* proves.

        Raises:
            UnauthenticatedError: Forged, expired, for someone else, or not a token at all.
            UnavailableError: The issuer's keys are not known, and it does not answer.
        """
        ...

    async def verify_site(self, token: str) -> Principal:
        """Return the website itself, if *token* is of the audience for its own calls.

        Raises:
            ForbiddenError: A good token of a user.
            UnauthenticatedError, UnavailableError: As in `verify`.
        """
        ...


class Probe(Protocol):
    async def check(self) -> None:
        """Ask the service behind an adapter for a sign of life.

        Raises:
            UnavailableError: None came.
        """
        ...
