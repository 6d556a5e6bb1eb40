"""Messages: posted, read, brought up to the store, emptied when their sender is erased."""

from dataclasses import dataclass

from shared.config import Settings
from shared.ports import Ports
from shared.services.admission.build import Basis
from shared.services.files.attachments import Attachments
from shared.services.locks import ConversationLocks
from shared.services.messages.history import History
from shared.services.messages.message_writer import MessageWriter
from shared.services.messages.posting import Posting
from shared.services.messages.sequencer import Sequencer
from shared.services.receipts.head_reconciler import HeadReconciler
from shared.services.user_data.message_eraser import MessageEraser


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageServices:
    """Messages: posted, read, brought up to the store, and emptied when their sender is erased."""

    posting: Posting
    history: History
    head_reconciler: HeadReconciler
    eraser: MessageEraser


def build_messages(
    ports: Ports, settings: Settings, basis: Basis, attachments: Attachments
) -> MessageServices:
    eraser = MessageEraser(
        reader=basis.reader,
        messages=ports.messages,
        live=ports.live,
        blobs=ports.blobs,
        erased=basis.erased,
    )
    writer = MessageWriter(
        reader=basis.reader,
        sequencer=Sequencer(ports.messages, ports.clock, bucket_size=settings.bucket_size),
        live=ports.live,
        eraser=eraser,
        locks=ConversationLocks(),
    )
    posting = Posting(
        admission=basis.admission,
        reader=basis.reader,
        attachments=attachments,
        writer=writer,
        clock=ports.clock,
        ids=ports.ids,
    )
    return MessageServices(
        posting=posting,
        history=History(admission=basis.admission, reader=basis.reader),
        head_reconciler=HeadReconciler(reader=basis.reader, live=ports.live),
        eraser=eraser,
    )
