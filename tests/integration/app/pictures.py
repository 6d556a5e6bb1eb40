"""Files to attach."""

import io
from typing import Any

from PIL import Image

from tests.integration.app.people import Json, Person
from tests.stack import Reply

PNG = "image/png"


def png(width: int = 640, height: int = 480) -> bytes:
    """Return a picture of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (30, 120, 200)).save(buffer, "PNG")
    return buffer.getvalue()


def size_of(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.size


async def grant(person: Person, conversation_id: str, size_bytes: int, **more: object) -> Reply:
    """Ask for leave to upload a file of *size_bytes*, a PNG unless *more* says otherwise."""
    asked = {"fileName": "view.png", "contentType": PNG, "sizeBytes": size_bytes, **more}
    return await person.call("POST", f"/conversations/{conversation_id}/attachments", asked)


async def granted(person: Person, conversation_id: str, data: bytes, **more: object) -> Json:
    reply = await grant(person, conversation_id, len(data), **more)
    assert reply.status == 201, reply.body
    given: Json = reply.json
    return given


async def upload(person: Person, given: Json, data: bytes) -> int:
    """Put *data* where the grant says; return the status of the storage's answer."""
    reply = await person.world.call("PUT", given["uploadUrl"], data, given["headers"])
    return reply.status


async def uploaded(person: Person, conversation_id: str, data: bytes, **more: object) -> str:
    """Upload *data* under a fresh grant; return the attachment's id."""
    given = await granted(person, conversation_id, data, **more)
    assert await upload(person, given, data) == 201
    return str(given["attachmentId"])


async def attach(person: Person, conversation_id: str, *ids: Any, body: str = "") -> Reply:
    """Post a message that refers to the attachments *ids*."""
    attachments = [{"attachmentId": one} for one in ids]
    return await person.post(conversation_id, body, attachments=attachments)


async def fetch(person: Person, conversation_id: str, attachment_id: str, query: str = "") -> Reply:
    """Ask the app for the file; a good answer leads elsewhere."""
    path = f"/conversations/{conversation_id}/attachments/{attachment_id}{query}"
    return await person.call("GET", path)
