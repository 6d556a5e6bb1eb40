"""Every refusal of the chat, by kind.

A *kind* (InvalidError, NotFoundError, ...) decides how a trigger answers. A *leaf* adds a stable
`code` that a client can act on; docs/protocol.md#errors lists the codes. Any other exception is a
bug, and no trigger turns it into an answer of its own.
"""

from typing import ClassVar


class ChatError(Exception):
    """Base of every refusal. `detail` is safe to show to the caller.

    Args:
        retry_after_ms: After how many milliseconds the same call may succeed; None where it cannot
            succeed unchanged.

    `client_message_id` is set where a message is refused, so that its sender knows which message.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, detail: str, *, retry_after_ms: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_ms = retry_after_ms
        self.client_message_id: str | None = None


class InvalidError(ChatError):
    code = "invalid"


class SequenceOutOfRangeError(InvalidError):
    code = "sequence_out_of_range"

    def __init__(self, *, up_to: int, latest: int) -> None:
        super().__init__(f"cannot acknowledge up to {up_to}: the conversation ends at {latest}")
        self.up_to, self.latest = up_to, latest


class UnauthenticatedError(ChatError):
    code = "unauthenticated"


class ForbiddenError(ChatError):
    code = "forbidden"


class AccountErasedError(ForbiddenError):
    """The caller's account was erased. Their tokens and connections no longer count."""

    def __init__(self) -> None:
        super().__init__("this account was erased")


class PrincipalMismatchError(ForbiddenError):
    code = "principal_mismatch"


class BlockedError(ForbiddenError):
    code = "blocked"


class NotFoundError(ChatError):
    code = "not_found"


class UserNotFoundError(NotFoundError):
    code = "user_not_found"


class ConflictError(ChatError):
    code = "conflict"


class ConversationFullError(ConflictError):
    code = "conversation_full"


class NotReadyError(ConflictError):
    code = "not_ready"


class RejectedError(ChatError):
    code = "rejected"


class TooLargeError(ChatError):
    code = "too_large"


class UnsupportedTypeError(ChatError):
    code = "unsupported_type"


class RateLimitedError(ChatError):
    code = "rate_limited"


class UnavailableError(ChatError):
    """A service this call needs did not answer. Whether a write took place is unknown."""

    code = "unavailable"

    def __init__(self, detail: str, *, retry_after_ms: int = 1000) -> None:
        super().__init__(detail, retry_after_ms=retry_after_ms)


class BusyError(UnavailableError):
    """More connections arrive at once than the service takes."""

    code = "busy"
