"""Attachments: the way of a file from its sender to the members, and all that is refused."""

import json
from urllib.parse import urlsplit

import pytest

from tests.integration.app.conftest import QUOTA_BYTES
from tests.integration.app.people import Json, Person, World, code_of, eventually
from tests.integration.app.pictures import (
    PNG,
    attach,
    fetch,
    grant,
    granted,
    png,
    size_of,
    upload,
    uploaded,
)
from tests.pictures import scan_bomb
from tests.stack import Reply

pytestmark = pytest.mark.stack


async def pair(world: World) -> tuple[Person, Person, str]:
    ann, bob = await world.people("ann", "bob")
    return ann, bob, await ann.direct(bob)


async def test_a_picture_goes_from_grant_to_download(world: World) -> None:
    ann, bob, conversation_id = await pair(world)
    data = png(640, 480)
    given = await granted(ann, conversation_id, data, fileName="Straße & “ü”.png")
    status = await upload(ann, given, data)

    sent = await attach(ann, conversation_id, given["attachmentId"], body="look")

    (shown,) = sent.json["message"]["attachments"]
    assert status == 201
    assert isinstance(given["expiresAt"], int)
    assert shown == {
        "attachmentId": given["attachmentId"],
        "fileName": "Straße & “ü”.png",
        "contentType": PNG,
        "sizeBytes": len(data),
        "width": 640,
        "height": 480,
        "state": "clean",
    }
    leads = await fetch(bob, conversation_id, given["attachmentId"])
    file = await world.call("GET", leads.headers["location"])
    assert leads.status == 302
    assert (file.status, file.body) == (200, data)
    assert file.headers["content-type"] == PNG
    assert "%E2%80%9C%C3%BC%E2%80%9D.png" in file.headers["content-disposition"]


@pytest.mark.parametrize(
    ("named", "data", "stored"),
    [
        ({"fileName": "photo\u202egpj.exe"}, png(8, 8), "photogpj.exe.png"),
        ({"fileName": "run.bat", "contentType": "text/plain"}, b"echo", "run.bat.txt"),
    ],
)
async def test_a_name_that_misleads_is_stored_and_given_out_changed(
    world: World, named: Json, data: bytes, stored: str
) -> None:
    ann, bob, conversation_id = await pair(world)
    attachment_id = await uploaded(ann, conversation_id, data, **named)

    sent = await attach(ann, conversation_id, attachment_id)

    leads = await fetch(bob, conversation_id, attachment_id)
    file = await world.call("GET", leads.headers["location"])
    assert sent.json["message"]["attachments"][0]["fileName"] == stored
    assert file.headers["content-disposition"].endswith(f"filename*=UTF-8''{stored}")


async def test_a_thumbnail_is_made_and_asked_for_by_its_size(world: World) -> None:
    ann, bob, conversation_id = await pair(world)
    attachment_id = await uploaded(ann, conversation_id, png(1200, 800))
    await attach(ann, conversation_id, attachment_id)

    async def small() -> Reply:
        leads = await fetch(bob, conversation_id, attachment_id, "?size=thumbnail")
        return await world.call("GET", leads.headers["location"])

    thumbnail = await eventually(small, lambda it: it.headers["content-type"] == "image/webp")

    assert max(size_of(thumbnail.body)) == 320


async def workers(world: World) -> dict[str, tuple[int, int]]:
    """Return the pid and the number of restarts of each worker."""
    found = await world.stack.processes()
    return {
        name: (one["pid"], one["restarts"])
        for name, one in found.items()
        if name.startswith("worker")
    }


async def test_a_picture_that_would_keep_a_decoder_for_minutes_holds_up_nobody(
    world: World,
) -> None:
    ann, bob, conversation_id = await pair(world)
    before = await workers(world)
    bomb = scan_bomb(5_000)
    named = {"fileName": "sunset.jpg", "contentType": "image/jpeg"}
    harmful = await uploaded(ann, conversation_id, bomb, **named)
    innocent = [await uploaded(ann, conversation_id, png(1200, 800)) for _ in range(2)]

    # All in one conversation: the change feed reads them in this order.
    for attachment_id in (innocent[0], harmful, innocent[1]):
        assert (await attach(ann, conversation_id, attachment_id)).status == 201

    async def small() -> list[str]:
        leads = [await fetch(bob, conversation_id, one, "?size=thumbnail") for one in innocent]
        return [urlsplit(one.headers["location"]).path.split("/")[3] for one in leads]

    await eventually(small, lambda places: places == ["thumbnails"] * 2, within_s=60)
    assert (await fetch(bob, conversation_id, harmful)).status == 302
    assert before
    assert await workers(world) == before


async def test_a_link_reads_one_file_and_writes_nothing(world: World) -> None:
    ann, bob, conversation_id = await pair(world)
    data = png()
    one, other = [await uploaded(ann, conversation_id, data) for _ in range(2)]
    await attach(ann, conversation_id, one, other)

    link = (await fetch(bob, conversation_id, one)).headers["location"]

    blob = {"x-ms-blob-type": "BlockBlob"}
    assert (await world.call("GET", link)).status == 200
    assert (await world.call("PUT", link, data, blob)).status == 403
    assert (await world.call("DELETE", link)).status == 403
    assert (await world.call("GET", link.replace(one, other))).status == 403


async def test_what_was_uploaded_is_not_overwritten(world: World) -> None:
    ann, _, conversation_id = await pair(world)
    data = png()
    given = await granted(ann, conversation_id, data)
    assert await upload(ann, given, data) == 201

    again = await upload(ann, given, data[::-1])
    read = await world.call("GET", given["uploadUrl"])

    assert again in {403, 409}
    assert read.status == 403
    assert (await attach(ann, conversation_id, given["attachmentId"])).status == 201


@pytest.mark.parametrize("bytes_", [b"GIF89a" + b"\0" * 100, b"<script>alert(1)</script>" * 10])
async def test_bytes_of_another_type_are_refused(world: World, bytes_: bytes) -> None:
    ann, _, conversation_id = await pair(world)
    attachment_id = await uploaded(ann, conversation_id, bytes_)

    reply = await attach(ann, conversation_id, attachment_id)

    assert (reply.status, code_of(reply)) == (415, "unsupported_type")
    assert await ann.read(conversation_id) == []


@pytest.mark.parametrize("change", [1, -1])
async def test_another_size_than_the_granted_one_is_refused(world: World, change: int) -> None:
    ann, _, conversation_id = await pair(world)
    data = png()
    given = (await grant(ann, conversation_id, len(data) + change)).json
    assert await upload(ann, given, data) == 201

    reply = await attach(ann, conversation_id, given["attachmentId"])

    assert (reply.status, code_of(reply)) == (400, "invalid")


async def test_what_is_not_uploaded_is_refused_and_may_be_sent_later(world: World) -> None:
    ann, _, conversation_id = await pair(world)
    data = png()
    given = await granted(ann, conversation_id, data)

    early = await attach(ann, conversation_id, given["attachmentId"])
    await upload(ann, given, data)
    later = await attach(ann, conversation_id, given["attachmentId"])

    assert (early.status, code_of(early)) == (400, "invalid")
    assert later.status == 201


async def test_nobody_sends_somebody_elses_or_another_conversations_file(world: World) -> None:
    ann, bob, conversation_id = await pair(world)
    elsewhere = await ann.group(bob)
    attachment_id = await uploaded(ann, conversation_id, png())

    replies = [
        await attach(bob, conversation_id, attachment_id),
        await attach(ann, elsewhere, attachment_id),
        await attach(ann, conversation_id, "a-" + "0" * 32),
        await attach(ann, conversation_id, "../" + attachment_id),
        await attach(ann, conversation_id, None),
        await ann.post(conversation_id, "hi", attachments=["x"]),
        await ann.post(conversation_id, "hi", attachments="x"),
        await attach(ann, conversation_id, *[f"a-{n:032x}" for n in range(11)]),
    ]

    assert [(reply.status, code_of(reply)) for reply in replies] == [(400, "invalid")] * 8


async def test_a_file_is_the_members_only_and_only_once_it_was_sent(world: World) -> None:
    ann, bob, conversation_id = await pair(world)
    cyd = await world.person("cyd")
    attachment_id = await uploaded(ann, conversation_id, png())

    unsent = [await fetch(person, conversation_id, attachment_id) for person in (ann, bob, cyd)]
    await attach(ann, conversation_id, attachment_id)
    sent = [await fetch(person, conversation_id, attachment_id) for person in (ann, bob, cyd)]

    assert [reply.status for reply in unsent] == [409, 404, 404]
    assert code_of(unsent[0]) == "not_ready"
    assert [reply.status for reply in sent] == [302, 302, 404]
    elsewhere = await cyd.group()
    assert (await fetch(cyd, elsewhere, attachment_id)).status == 404
    assert (await fetch(cyd, elsewhere, "..%2F..%2Fgrants")).status == 404


async def test_one_who_left_reads_no_file_of_before(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.group(bob)
    attachment_id = await uploaded(ann, conversation_id, png())
    await attach(ann, conversation_id, attachment_id)

    await ann.call("DELETE", f"/conversations/{conversation_id}/members/{bob.user_id}")

    assert (await fetch(bob, conversation_id, attachment_id)).status == 404


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"contentType": "text/html"}, 415, "unsupported_type"),
        ({"contentType": "image/svg+xml"}, 415, "unsupported_type"),
        ({"contentType": "image/PNG; charset=x"}, 415, "unsupported_type"),
        ({"contentType": None}, 400, "invalid"),
        ({"sizeBytes": 25 * 1024 * 1024 + 1}, 413, "too_large"),
        ({"sizeBytes": 10**30}, 413, "too_large"),
        ({"sizeBytes": 0}, 400, "invalid"),
        ({"sizeBytes": "10"}, 400, "invalid"),
        ({"sizeBytes": 1.5}, 400, "invalid"),
        ({"sizeBytes": True}, 400, "invalid"),
        ({"fileName": ""}, 400, "invalid"),
        ({"fileName": "../../etc/passwd"}, 400, "invalid"),
        ({"fileName": "a\r\nSet-Cookie: x"}, 400, "invalid"),
        ({"fileName": "\ud800"}, 400, "invalid"),
        ({"fileName": "x" * 256}, 400, "invalid"),
        ({"fileName": ["x"]}, 400, "invalid"),
    ],
)
async def test_an_upload_that_is_not_taken_is_refused_before_it_begins(
    world: World, asked: Json, status: int, code: str
) -> None:
    ann = await world.person("ann")
    conversation_id = await ann.group()

    reply = await grant(ann, conversation_id, asked.pop("sizeBytes", 100), **asked)

    assert (reply.status, code_of(reply)) == (status, code)


async def test_a_text_with_a_zero_byte_is_no_text(world: World) -> None:
    ann, _, conversation_id = await pair(world)
    kind = {"fileName": "a.txt", "contentType": "text/plain"}
    good = await uploaded(ann, conversation_id, b"plain words", **kind)
    bad = await uploaded(ann, conversation_id, b"MZ\x00\x01 no words", **kind)

    replies = [await attach(ann, conversation_id, one) for one in (good, bad)]

    assert [reply.status for reply in replies] == [201, 415]


async def test_a_days_quota_is_kept(tuned: World) -> None:
    ann, bob, conversation_id = await pair(tuned)
    half = QUOTA_BYTES // 2

    first, second = [await grant(ann, conversation_id, half) for _ in range(2)]
    third = await grant(ann, conversation_id, 1)
    others = await grant(bob, conversation_id, half)

    assert [reply.status for reply in (first, second, others)] == [201] * 3
    assert (third.status, code_of(third)) == (429, "rate_limited")
    assert third.json["retryAfterMs"] > 0
    assert int(third.headers["retry-after"]) > 0


async def test_a_file_larger_than_its_grant_is_refused_deleted_and_charged(tuned: World) -> None:
    ann, bob, conversation_id = await pair(tuned)
    given = (await grant(ann, conversation_id, 10)).json
    data = png(8, 8).ljust(3 * QUOTA_BYTES, b"\0")
    assert await upload(ann, given, data) == 201

    refused = await attach(ann, conversation_id, given["attachmentId"])
    again = await attach(ann, conversation_id, given["attachmentId"])
    next_grant = await grant(ann, conversation_id, 1)

    assert (refused.status, code_of(refused)) == (400, "invalid")
    assert "granted size" in refused.json["detail"]
    assert (again.status, code_of(again)) == (400, "invalid")
    assert "not uploaded" in again.json["detail"]
    assert (next_grant.status, code_of(next_grant)) == (429, "rate_limited")
    assert (await grant(bob, conversation_id, 1)).status == 201


async def judge(world: World, conversation_id: str, attachment_id: str, verdict: str) -> int:
    """Say what the scanner found, as Event Grid does; return the function's status."""
    account = f"http://127.0.0.1:{world.stack.ports.blob}/devstoreaccount1"
    uri = f"{account}/attachments/files/{conversation_id}/{attachment_id}"
    event = {
        "id": "1",
        "topic": "t",
        "subject": "s",
        "eventType": "Microsoft.Security.MalwareScanningResult",
        "eventTime": "2026-01-12T09:30:00Z",
        "dataVersion": "1.0",
        "data": {"blobUri": uri, "scanResultType": verdict},
    }
    return (await world.run("attachment_scanned", json.dumps(event))).status


async def scan_of_sent(world: World, verdict: str) -> tuple[Person, Person, str, str]:
    """Send a file, check that it waits for the scanner, and let the scanner speak."""
    ann, bob, conversation_id = await pair(world)
    attachment_id = await uploaded(ann, conversation_id, png(64, 64))
    sent = await attach(ann, conversation_id, attachment_id)
    assert sent.json["message"]["attachments"][0]["state"] == "pending"
    pending = await fetch(bob, conversation_id, attachment_id)
    assert (pending.status, code_of(pending)) == (409, "not_ready")
    hub = await bob.connect()
    assert await judge(world, conversation_id, attachment_id, verdict) == 200
    changed = await hub.wait_for("attachmentChanged")
    assert changed["conversationId"] == conversation_id
    assert changed["sequence"] == 1
    assert changed["attachment"]["attachmentId"] == attachment_id
    assert (await bob.read(conversation_id))[0]["attachments"] == [changed["attachment"]]
    return ann, bob, conversation_id, attachment_id


async def test_a_file_the_scanner_finds_clean_is_given_out(tuned: World) -> None:
    _, bob, conversation_id, attachment_id = await scan_of_sent(tuned, "No threats found")

    reply = await fetch(bob, conversation_id, attachment_id)

    assert reply.status == 302
    assert (await bob.read(conversation_id))[0]["attachments"][0]["state"] == "clean"


async def test_a_file_the_scanner_refuses_is_given_to_nobody(tuned: World) -> None:
    ann, bob, conversation_id, attachment_id = await scan_of_sent(tuned, "Malicious")

    replies = [await fetch(person, conversation_id, attachment_id) for person in (ann, bob)]

    assert [(reply.status, code_of(reply)) for reply in replies] == [(410, "rejected")] * 2
    assert (await bob.read(conversation_id))[0]["attachments"][0]["state"] == "rejected"


async def test_a_verdict_before_the_send_is_kept(tuned: World) -> None:
    ann, bob, conversation_id = await pair(tuned)
    clean, bad = [await uploaded(ann, conversation_id, png(32, 32)) for _ in range(2)]
    await judge(tuned, conversation_id, clean, "No threats found")
    await judge(tuned, conversation_id, bad, "Malicious")

    good = await attach(ann, conversation_id, clean)
    refused = await attach(ann, conversation_id, bad)

    assert good.json["message"]["attachments"][0]["state"] == "clean"
    assert (refused.status, code_of(refused)) == (410, "rejected")
    assert (await fetch(bob, conversation_id, clean)).status == 302


async def test_a_scan_that_failed_is_no_verdict(tuned: World) -> None:
    ann, bob, conversation_id = await pair(tuned)
    attachment_id = await uploaded(ann, conversation_id, png(32, 32))
    await attach(ann, conversation_id, attachment_id)

    status = await judge(tuned, conversation_id, attachment_id, "SAM259201: Scan failed")

    assert status == 200
    assert (await fetch(bob, conversation_id, attachment_id)).status == 409
