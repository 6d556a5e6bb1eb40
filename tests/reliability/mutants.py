"""Copies of the project with one promise broken in each: the checker must find every one of them.

A mutant is the project's own code with a few words changed. A change that no longer fits the code
fails loudly, so that a mutant is never the app itself by accident.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.stack import ROOT

_COPIED = ("function_app.py", "host.json", "shared", "triggers", "infra", "local")
_LINKED = ("node_modules", "web")


@dataclass(frozen=True, slots=True)
class Change:
    """Replace *old*, which stands in *path* exactly once, by *new*."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is changed, and what shows it soonest.

    Args:
        rules: Rules of the checker of which at least one must be found broken.
        each: And rules which all must.
        faults: Faults under which the difference shows.
        bucket_size: Small, so that a retry meets the next bucket; large, so that it does not.
        beside: What goes on beside the talk is broken, and so goes on; at a rate of its own.
        notify_delay_s: Long enough that a notification that ought not to come comes late.

    """

    rules: frozenset[str]
    faults: tuple[str, ...]
    changes: tuple[Change, ...]
    bucket_size: int = 3
    each: frozenset[str] = frozenset()
    beside: bool = False
    seconds: float = 5.0
    notify_delay_s: int = 1


_OF_MESSAGES: Mapping[str, Mutant] = {
    "drops the unique key": Mutant(
        rules=frozenset({"doubled"}),
        faults=("cosmos-reply-spoilt",),
        changes=(
            Change(
                "infra/data-model.json",
                '      "uniqueKeyPolicy": { "uniqueKeys": [{ "paths": ["/senderId", '
                '"/clientMessageId"] }] },\n',
                "",
            ),
        ),
        bucket_size=5000,
    ),
    "pushes before the create": Mutant(
        rules=frozenset({"untrue"}),
        faults=("cosmos-down",),
        changes=(
            Change(
                "triggers/hub.py",
                "                if names_message:\n",
                '                push.send(pushes, getattr(error, "pushes", ()))\n'
                "                if names_message:\n",
            ),
            Change(
                "shared/services/messages/posting.py",
                "        stored = await self.writer.store(message, head, retry=draft.retry)\n",
                "        from shared.domain.errors import UnavailableError\n"
                "        from shared.domain.ids import SequenceNumber\n"
                "        early = replace(message, sequence=SequenceNumber(head.sequence + 1))\n"
                "        try:\n"
                "            stored = await self.writer.store(message, head, retry=draft.retry)\n"
                "        except UnavailableError as error:\n"
                "            error.pushes = _pushes(\n"
                "                early, conversation, sender_has_other_connections=False\n"
                "            )\n"
                "            raise\n",
            ),
        ),
    ),
    "acknowledges before the create": Mutant(
        rules=frozenset({"lost", "untrue"}),
        faults=("cosmos-503", "worker-killed"),
        changes=(
            Change(
                "shared/services/messages/posting.py",
                "        stored = await self.writer.store(message, head, retry=draft.retry)\n",
                "        import asyncio\n"
                "        from shared.domain.ids import SequenceNumber\n"
                "        later = self.writer.store(message, head, retry=draft.retry)\n"
                "        task = asyncio.ensure_future(later)\n"
                "        task.add_done_callback(lambda done: done.exception())\n"
                "        early = replace(message, sequence=SequenceNumber(head.sequence + 1))\n"
                "        stored = Stored(early, repeated=False)\n",
            ),
        ),
    ),
    "forgets the look-up across buckets": Mutant(
        rules=frozenset({"doubled"}),
        faults=("cosmos-reply-spoilt",),
        changes=(
            Change(
                "shared/services/messages/sequencer.py",
                "        if bucket == 0:\n            return False\n",
                "        return False\n",
            ),
        ),
    ),
}

_BESIDE = (
    Change(  # trespass
        "shared/domain/conversations/access.py",
        "    if conversation is None or member is None:\n",
        "    if conversation is not None and member is None and caller in conversation.left:\n"
        "        from dataclasses import replace\n"
        "        member = replace(conversation.members[0], user_id=caller)\n"
        "    if conversation is None or member is None:\n",
    ),
    Change(  # shut out, if somebody looks in time
        "shared/services/messages/history.py",
        "        latest = admitted.head.sequence\n        first, last",
        "        latest = admitted.head.sequence\n"
        "        if admitted.conversation.version > 2:\n"
        "            from shared.domain.errors import NotFoundError\n"
        '            raise NotFoundError("no such conversation")\n'
        "        first, last",
    ),
    Change(  # ahead
        "triggers/http_conversations.py",
        "receipts = [encode.receipt(receipt) for receipt in opened.receipts]",
        'receipts = [{**encode.receipt(receipt), "delivered": opened.latest + 1} '
        "for receipt in opened.receipts]",
    ),
    Change(  # inbox
        "triggers/encode.py",
        '"conversation": conversation(item.row.conversation, item.row.head.sequence),',
        '"conversation": conversation(item.row.conversation, item.row.head.sequence '
        '- (item.row.conversation.kind == "direct")),',
    ),
    Change("triggers/encode.py", '"unreadCount": item.unread_count,', '"unreadCount": 99,'),
    Change(  # disorder
        "triggers/http_conversations.py",
        "for item in page.items]",
        "for item in reversed(page.items)]",
    ),
    Change(  # file
        "shared/services/files/attachments.py",
        "        small = thumbnail and record.has_thumbnail\n",
        '        raise NotFoundError("no such file")\n',
    ),
    Change(  # stale
        "shared/domain/people/notification.py",
        "        and message.sequence > delivered\n",
        "        and message.sequence > 0 * delivered\n",
    ),
    Change(  # remains, if it is looked for in time
        "shared/services/user_data/message_eraser.py",
        "attachment.attachment_id, keep=False)",
        "attachment.attachment_id, keep=True)",
    ),
)

MUTANTS: Mapping[str, Mutant] = {
    **_OF_MESSAGES,
    "breaks all that goes on beside the talk": Mutant(
        rules=frozenset({"trespass"}),
        each=frozenset(
            {
                *("trespass", "ahead", "inbox", "unread", "disorder"),
                *("file", "stale"),
            }
        ),
        faults=(),
        changes=_BESIDE,
        beside=True,
        seconds=14.0,
        notify_delay_s=10,
    ),
}


def skewed(library: Path) -> tuple[Change, ...]:
    """Return what gives the second worker a clock that is 20 minutes fast: no mutant.

    The whole process has it, libraries included, by libfaketime; only the time since a moment is
    everybody's. Nothing may be found.
    """
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME": "+20m",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    start = "await worker.start(self._directory, self._environment)"
    second = f'{{**self._environment, **({faked!r} if worker.name == "worker-2" else {{}})}}'
    faster = start.replace("self._environment", second)
    return (Change("local/host/workers.py", start, faster),)


def faketime() -> Path | None:
    """Return the library of Debian's package `faketime`, if it is installed."""
    return next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)


def copy_project(directory: Path, changes: tuple[Change, ...] = ()) -> Path:
    """Copy what runs into *directory*, make *changes* there, and return where it is.

    Raises:
        AssertionError: A change does not fit the code as it now is.

    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            # With the compiled files: what is not changed need not be compiled once more.
            shutil.copytree(source, directory / name)
        else:
            shutil.copy(source, directory / name)
    for name in _LINKED:
        (directory / name).symlink_to(ROOT / name)
    for change in changes:
        path = directory / change.path
        text = path.read_text(encoding="utf-8")
        assert text.count(change.old) == 1, f"{change.path} has no such place: {change.old!r}"
        path.write_text(text.replace(change.old, change.new), encoding="utf-8")
    return directory
