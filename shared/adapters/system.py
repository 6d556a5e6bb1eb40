"""The machine's clock and its randomness."""

import time
import uuid
from datetime import UTC, datetime
from typing import override

from shared.domain.ids import (
    AttachmentId,
    ClientMessageId,
    ConversationId,
    attachment_id,
    group_conversation_id,
)
from shared.ports import Clock, Ids


class SystemClock(Clock):
    @override
    def now(self) -> datetime:
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    @override
    def elapsed_s(self) -> float:
        return time.monotonic()


class RandomIds(Ids):
    @override
    def new_conversation_id(self) -> ConversationId:
        return group_conversation_id(uuid.uuid4())

    @override
    def new_attachment_id(self) -> AttachmentId:
        return attachment_id(uuid.uuid4())

    @override
    def new_client_message_id(self) -> ClientMessageId:
        return ClientMessageId(str(uuid.uuid4()))
