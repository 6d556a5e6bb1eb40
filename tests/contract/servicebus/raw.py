"""A client that speaks AMQP frame by frame, for what no SDK would do."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from azure.servicebus._pyamqp.utils import generate_sas_token

from local.servicebus.amqp.encode import encode
from local.servicebus.amqp.frames import (
    AMQP_HEADER,
    SASL_HEADER,
    SASL_TYPE,
    Frame,
    FrameReader,
    build_frame,
)
from local.servicebus.amqp.performatives import (
    Attach,
    Begin,
    Disposition,
    Flow,
    Open,
    Performative,
    SaslInit,
    Transfer,
    read_performative,
)
from local.servicebus.amqp.types import Described, Symbol, UByte, UInt, ULong
from local.servicebus.message import read_sections

DEADLINE_S = 5.0


class RawClient:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader(1 << 20)
        self.headers: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    def send(self, performative: Performative, payload: bytes = b"", kind: int = 0) -> None:
        self._writer.write(build_frame(performative, payload=payload, kind=kind))

    async def next(self) -> tuple[Any, bytes] | None:
        """Return the next performative with its payload; None when the peer hung up."""
        while True:
            item = self._frames.next_item()
            if isinstance(item, Frame) and item.body:
                performative, end = read_performative(item.body)
                return performative, item.body[end:]
            if isinstance(item, Frame):
                return None, b""  # an empty frame: a heartbeat
            if item is not None:
                self.headers.append(item)
                continue
            data = await self._read()
            if not data:
                return None
            self._frames.feed(data)

    async def _read(self) -> bytes:
        try:
            return await asyncio.wait_for(self._reader.read(65_536), DEADLINE_S)
        except ConnectionResetError:
            return b""  # hung up before it had read all of ours

    async def expect(self, kind: type) -> Any:
        """Return the next performative of *kind*, passing over others."""
        return (await self.expect_with_payload(kind))[0]

    async def expect_with_payload(self, kind: type) -> tuple[Any, bytes]:
        while (found := await self.next()) is not None:
            if isinstance(found[0], kind):
                return found
        raise AssertionError(f"the peer hung up before it sent {kind.__name__}")

    async def hung_up(self) -> bool:
        while (found := await self.next()) is not None:
            del found
        return True

    async def start(self, *, window: int = 1_000, **opening: Any) -> None:
        """Go through SASL, open and begin."""
        self.write(SASL_HEADER)
        self.send(SaslInit(Symbol("ANONYMOUS")), kind=SASL_TYPE)
        await self.next()
        await self.next()
        self._frames.expect_header()
        self.write(AMQP_HEADER)
        self.send(Open(container_id="raw", **opening))
        self.send(Begin(None, UInt(0), UInt(window), UInt(1_000)))
        await self.expect(Begin)

    async def authorize(self, port: int, key: str, path: str, *, token: str | None = None) -> int:
        """Put *token*, or a good one for *path*, through; return the status."""
        self.attach("cbs-in", 100, "$cbs", receives=True)
        self.attach("cbs-out", 101, "$cbs", receives=False)
        await self.expect(Attach)
        await self.expect(Attach)
        audience = f"sb://127.0.0.1:{port}/{path}"
        sign: Any = generate_sas_token  # it has no hints
        if token is None:
            token = sign(audience, "RootManageSharedAccessKey", key)
        request = b"".join(
            encode(Described(ULong(code), value))
            for code, value in (
                (0x73, [uuid.uuid4()]),
                (0x74, {"operation": "put-token", "name": audience}),
                (0x77, token),
            )
        )
        self.give_credit(100, 1)
        self.transfer(101, 0, request)
        _, reply = await self.expect_with_payload(Transfer)
        properties = read_sections(reply)[0x74]
        assert isinstance(properties, dict)
        return int(properties["status-code"])

    def attach(self, name: str, handle: int, address: str, *, receives: bool, **more: Any) -> None:
        terminus = [address]
        self.send(
            Attach(
                name=name,
                handle=UInt(handle),
                role=receives,
                snd_settle_mode=UByte(0),
                rcv_settle_mode=UByte(1),
                source=Described(ULong(0x28), terminus),
                target=more.pop("target", Described(ULong(0x29), terminus)),
                initial_delivery_count=None if receives else UInt(0),
                **more,
            )
        )

    def give_credit(self, handle: int, credit: int, **more: Any) -> None:
        incoming = UInt(more.pop("next_incoming", 0)), UInt(more.pop("window", 1_000))
        window = (*incoming, UInt(0), UInt(1_000))
        count = UInt(more.pop("delivery_count", 0))
        self.send(Flow(*window, UInt(handle), count, UInt(credit), **more))

    def transfer(self, handle: int, delivery_id: int, message: bytes, **more: Any) -> None:
        identity = (UInt(handle), UInt(delivery_id), b"%d" % delivery_id)
        self.send(Transfer(*identity, UInt(0), **more), message)

    def settle(self, first: int, descriptor: int, fields: list[Any], **more: Any) -> None:
        state = Described(ULong(descriptor), fields)
        self.send(Disposition(role=True, first=UInt(first), state=state, **more))


@asynccontextmanager
async def raw_client(port: int) -> AsyncIterator[RawClient]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.close()
        # The peer may have reset the connection, which is then no matter.
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
