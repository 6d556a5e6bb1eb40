"""The AMQP codec and the message splicing, by property: whatever the bytes, no surprise."""

import math
import uuid
from typing import Any

import pytest
from azure.servicebus._pyamqp._decode import decode_payload
from azure.servicebus._pyamqp._encode import encode_payload
from azure.servicebus._pyamqp.message import Header, Message, Properties
from hypothesis import given, settings
from hypothesis import strategies as st

from local.servicebus.amqp.decode import read_value, skip_value
from local.servicebus.amqp.encode import encode
from local.servicebus.amqp.frames import Frame, FrameReader, build_frame
from local.servicebus.amqp.performatives import Flow, Transfer, read_performative
from local.servicebus.amqp.types import (
    Array,
    DecodeError,
    Described,
    Int,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)
from local.servicebus.message import (
    Marks,
    encode_delivery,
    parse,
    split_batch,
    with_application_properties,
)

quick = settings(max_examples=100)

# Lengths above 255 take another code of the format; a few repeated values reach them cheaply.
long_texts = st.sampled_from(["x" * 255, "x" * 256, "\u00e9" * 128])
ascii_text = st.one_of(
    st.text(st.characters(codec="ascii"), max_size=20), st.sampled_from(["x" * 255, "x" * 256])
)
longs = st.integers(-(2**63), 2**63 - 1)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    longs,
    st.integers(-(2**31), 2**31 - 1).map(Int),
    st.integers(0, 2**8 - 1).map(UByte),
    st.integers(0, 2**16 - 1).map(UShort),
    st.integers(0, 2**32 - 1).map(UInt),
    st.integers(0, 2**64 - 1).map(ULong),
    longs.map(Timestamp),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    long_texts,
    st.binary(max_size=20),
    st.sampled_from([b"x" * 255, b"x" * 256]),
    ascii_text.map(Symbol),
    st.uuids(),
)
arrays = st.one_of(
    st.lists(longs, min_size=1, max_size=5).map(Array),
    st.builds(lambda value, count: Array([value] * count), longs, st.integers(250, 300)),
    st.lists(longs.map(Timestamp), min_size=1, max_size=5).map(Array),
    st.lists(st.uuids(), min_size=1, max_size=5).map(Array),
    st.lists(ascii_text.map(Symbol), min_size=1, max_size=5).map(Array),
)
long_lists = st.builds(lambda value, count: [value] * count, scalars, st.integers(250, 300))
keys = st.one_of(st.text(max_size=20), longs, st.uuids())
values = st.recursive(
    st.one_of(scalars, arrays, long_lists),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(keys, inner, max_size=5),
        st.builds(Described, st.integers(0, 2**64 - 1).map(ULong), inner),
    ),
    max_leaves=5,
)


@quick
@given(values)
def test_what_was_written_is_read(value: object) -> None:
    data = encode(value)

    assert read_value(data) == (value, len(data))


@quick
@given(values, st.binary(max_size=20))
def test_skipping_a_value_ends_where_reading_it_does(value: object, rest: bytes) -> None:
    data = encode(value) + rest

    assert skip_value(data, 0) == read_value(data)[1]


@quick
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (read_value, read_performative, parse, split_batch):
        try:
            read(data)
        except DecodeError:
            continue


@quick
@given(values, st.data())
def test_damaged_bytes_are_read_or_refused(value: object, data: st.DataObject) -> None:
    good = b"\x00\x53\x72" + encode(value)
    at = data.draw(st.integers(0, len(good) - 1))
    bad = good[:at] + data.draw(st.binary(max_size=3)) + good[at + data.draw(st.integers(0, 3)) :]

    for read in (read_value, read_performative, parse, split_batch):
        try:
            read(bad)
        except DecodeError:
            continue


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 200_000,
        b"\xd0\x00\x00\x00\x05\xff\xff\xff\xff\x40",
        b"\xf0\x00\x00\x00\x05\xff\xff\xff\xff\x40",
        b"\xd1\x00\x00\x00\x07\x00\x00\x00\x01\xa1\x01x",
        b"\xb0\xff\xff\xff\xffx",
        b"\xc0\x03\x01\xc0\x03\x01" * 5_000,
        b"\xc1\x03\x02\x45\x40",
    ],
)
def test_bombs_and_lies_are_refused_cheaply(data: bytes) -> None:
    with pytest.raises(DecodeError):
        read_value(data)


def test_a_negative_zero_and_infinities_survive() -> None:
    for number in (-0.0, math.inf, -math.inf):
        got, _ = read_value(encode(number))

        assert isinstance(got, float)
        assert (got, math.copysign(1, got)) == (number, math.copysign(1, number))


@quick
@given(st.lists(st.binary(max_size=50), max_size=5), st.integers(1, 40))
def test_frames_are_found_however_the_stream_is_cut(payloads: list[bytes], step: int) -> None:
    stream = b"AMQP\x00\x01\x00\x00" + b"".join(
        build_frame(Transfer(UInt(1), UInt(number)), channel=3, payload=payload)
        for number, payload in enumerate(payloads)
    )
    reader, found = FrameReader(65_536), []

    for start in range(0, len(stream), step):
        reader.feed(stream[start : start + step])
        while (item := reader.next_item()) is not None:
            found.append(item)

    assert found[0] == b"AMQP\x00\x01\x00\x00"
    frames = [item for item in found[1:] if isinstance(item, Frame)]
    assert [frame.channel for frame in frames] == [3] * len(payloads)
    assert [frame.body[read_performative(frame.body)[1] :] for frame in frames] == payloads


@pytest.mark.parametrize(
    "fields",
    [
        [UInt(0), UInt(1), UInt(0)],
        [UInt(0), "1", UInt(0), UInt(0)],
        [UInt(0), -1, UInt(0), UInt(0)],
        [UInt(0), 2**32, UInt(0), UInt(0)],
        [UInt(0), True, UInt(0), UInt(0)],
        [UInt(0)] * 12,
    ],
)
def test_a_performative_with_wrong_fields_is_refused(fields: list[object]) -> None:
    good = [UInt(0), UInt(1), UInt(0), UInt(0)]
    assert isinstance(read_performative(encode(Described(ULong(0x13), good)))[0], Flow)

    with pytest.raises(DecodeError):
        read_performative(encode(Described(ULong(0x13), fields)))


application = st.dictionaries(
    st.text(min_size=1, max_size=10), st.one_of(st.text(max_size=10), st.booleans()), max_size=10
)


@quick
@given(application, st.binary(max_size=500), st.one_of(st.none(), st.text(max_size=50)))
def test_the_sdk_reads_what_the_broker_spliced(
    properties: dict[Any, Any], body: bytes, message_id: str | None
) -> None:
    annotations: dict[Any, Any] = {
        b"x-opt-partition-key": "p",
        b"x-opt-sequence-number": 99,
        b"mine": 1,
    }
    sent = bytearray()
    encode_payload(
        sent,
        Message(
            header=Header(durable=True, priority=3, ttl=5_000),
            message_annotations=annotations,
            properties=Properties(message_id=message_id),
            application_properties=properties,
            data=[body],
        ),
    )

    incoming = parse(bytes(sent))
    added = {"DeadLetterReason": "é", "DeadLetterErrorDescription": "x" * 300}
    content = incoming.content._replace(
        bare=with_application_properties(incoming.content.bare, added)
    )
    marks = Marks(7, 1_000, 2, ttl_ms=4_000, locked_until_ms=9_000, state=1)
    got: Any = decode_payload(memoryview(encode_delivery(content, marks)))

    assert incoming.ttl_ms == 5_000
    assert incoming.message_id == message_id
    assert tuple(got.header) == (True, 3, 4_000, None, 2)
    assert got.message_annotations == {
        b"x-opt-partition-key": b"p",
        b"mine": 1,
        b"x-opt-sequence-number": 7,
        b"x-opt-enqueued-time": 1_000,
        b"x-opt-message-state": 1,
        b"x-opt-locked-until": 9_000,
    }
    expected = {**properties, **added}
    assert got.application_properties == {
        name.encode(): value.encode() if isinstance(value, str) else value
        for name, value in expected.items()
    }
    assert b"".join(got.data) == body


def test_annotations_for_the_next_hop_may_stand_anywhere_and_go_no_further() -> None:
    sent = bytearray()
    encode_payload(sent, Message(delivery_annotations={b"hop": 1}, data=[b"body"]))

    content = parse(bytes(sent)).content
    got: Any = decode_payload(memoryview(encode_delivery(content, Marks(1, 2, 0))))

    assert b"".join(got.data) == b"body"
    assert got.delivery_annotations is None


@quick
@given(st.uuids(), st.integers(0, 2**64 - 1), st.binary(max_size=16))
def test_a_message_id_of_any_type_is_a_key(name: uuid.UUID, number: int, data: bytes) -> None:
    for value, key in ((name, str(name)), (ULong(number), str(number)), (data, data.hex())):
        incoming = parse(encode(Described(ULong(0x73), [value])))

        assert incoming.message_id == key


@pytest.mark.parametrize("time", [ULong(2**64 - 1), -1, 253_402_300_800_000, "soon", None])
def test_a_time_that_is_none_schedules_nothing(time: object) -> None:
    annotations = {Symbol("x-opt-scheduled-enqueue-time"): time}

    incoming = parse(encode(Described(ULong(0x72), annotations)))

    assert incoming.scheduled_ms is None
