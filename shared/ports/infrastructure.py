"""The rest of the outside: clock, ids, tokens, signs of life."""

from datetime import datetime
from typing import Protocol

from shared.domain.ids import (
    AttachmentId,
    ClientMessageId,
    ConversationId,
)
from shared.domain.people.user import Principal


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
