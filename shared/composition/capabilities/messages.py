"""Messages: posted, read, brought up to the store, emptied when their sender is erased."""

from dataclasses import dataclass

from shared.composition.capabilities.basis import Basis
from shared.config import Settings
from shared.ports import Ports
from shared.services.attachments import Attachments
from shared.services.healing import Healing
from shared.services.history import History
from shared.services.message_eraser import MessageEraser
from shared.services.message_writer import MessageWriter
from shared.services.posting import Posting
from shared.services.sequencer import Sequencer
from shared.services.turns import Turns


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageServices:
    """Messages: posted, read, brought up to the store, and emptied when their sender is erased."""

    posting: Posting
    history: History
    healing: Healing
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
        turns=Turns(),
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
        healing=Healing(reader=basis.reader, live=ports.live),
        eraser=eraser,
    )
