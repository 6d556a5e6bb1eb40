"""What goes over the wire: calls, replies and refusals, in Cosmos' own terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from local.cosmos.json_values import dump

PARTITION_KEY = "x-ms-documentdb-partitionkey"
RANGE_ID = "x-ms-documentdb-partitionkeyrangeid"
CONTINUATION = "x-ms-continuation"
SESSION_TOKEN = "x-ms-session-token"  # noqa: S105 - the name of a header
MAX_ITEM_COUNT = "x-ms-max-item-count"
START_EPK = "x-ms-start-epk"
END_EPK = "x-ms-end-epk"

# Source: azure.cosmos.http_constants.SubStatusCodes.
KEY_MISMATCH = 1001
SESSION_NOT_AVAILABLE = 1002
OWNER_NOT_FOUND = 1003
CONTAINER_RID_MISMATCH = 1024

_CODES = {
    429: "429",
    HTTPStatus.REQUEST_TIMEOUT: "RequestTimeout",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "RequestEntityTooLarge",
    HTTPStatus.NOT_IMPLEMENTED: "NotImplemented",
}


class RefusalError(Exception):
    """A call is refused with *status*; *charge* is what the attempt costs in request units."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        substatus: int = 0,
        charge: float = 0.0,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.substatus = substatus
        self.charge = charge
        self.retry_after_ms = retry_after_ms

    def reply(self) -> "Reply":
        headers = {"x-ms-substatus": str(self.substatus)}
        if self.retry_after_ms is not None:
            headers["x-ms-retry-after-ms"] = str(self.retry_after_ms)
        text = dump({"code": code_of(self.status), "message": self.message})
        return Reply(self.status, text, charge=self.charge, headers=headers)


class BadRequestError(RefusalError):
    def __init__(self, message: str, *, substatus: int = 0) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, message, substatus=substatus)


class UnsupportedError(RefusalError):
    """Azure serves the call and the stand-in does not: the SDK does not retry it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            HTTPStatus.BAD_REQUEST,
            f"{what} is not implemented by the local stand-in (see local/cosmos/README.md).",
        )


class NotFoundError(RefusalError):
    def __init__(self, message: str, *, substatus: int = 0, charge: float = 0.0) -> None:
        super().__init__(HTTPStatus.NOT_FOUND, message, substatus=substatus, charge=charge)


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call, its path split and unquoted; header names are matched without case."""

    method: str
    path: tuple[str, ...]
    headers: Mapping[str, str]
    body: bytes

    def flag(self, name: str) -> bool:
        return self.headers.get(name, "").lower() == "true"


@dataclass(slots=True)
class Reply:
    """The answer to a call; *charge* is in request units."""

    status: int
    text: str = ""
    charge: float = 0.0
    etag: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def code_of(status: int) -> str:
    """Return the word Cosmos puts beside *status*."""
    try:
        return _CODES.get(status) or HTTPStatus(status).phrase.replace(" ", "")
    except ValueError:
        return str(status)
