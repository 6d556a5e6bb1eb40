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
        deeds: Faults under which the difference shows.
        bucket_size: Small, so that a retry meets the next bucket; large, so that it does not.

    """

    rules: frozenset[str]
    deeds: tuple[str, ...]
    changes: tuple[Change, ...]
    bucket_size: int = 3


MUTANTS: Mapping[str, Mutant] = {
    "drops the unique key": Mutant(
        rules=frozenset({"doubled"}),
        deeds=("cosmos-reply-spoilt",),
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
        deeds=("cosmos-down",),
        changes=(
            Change(
                "triggers/hub.py",
                "    except ChatError as error:\n        return _refused(",
                "    except ChatError as error:\n"
                '        edge.push(pushes, getattr(error, "pushes", ()))\n'
                "        return _refused(",
            ),
            Change(
                "shared/services/posting.py",
                "        stored = await self._store(message, head, retry=draft.retry)\n",
                "        early = replace(message, sequence=Sequence(head.sequence + 1))\n"
                "        try:\n"
                "            stored = await self._store(message, head, retry=draft.retry)\n"
                "        except UnavailableError as error:\n"
                "            error.pushes = _pushes(early, conversation, elsewhere=False)\n"
                "            raise\n",
            ),
        ),
    ),
    "acknowledges before the create": Mutant(
        rules=frozenset({"lost", "untrue"}),
        deeds=("cosmos-503", "worker-killed"),
        changes=(
            Change(
                "shared/services/posting.py",
                "        stored = await self._store(message, head, retry=draft.retry)\n",
                "        import asyncio\n"
                "        later = self._store(message, head, retry=draft.retry)\n"
                "        task = asyncio.ensure_future(later)\n"
                "        task.add_done_callback(lambda done: done.exception())\n"
                "        early = replace(message, sequence=Sequence(head.sequence + 1))\n"
                "        stored = Stored(early, repeated=False)\n",
            ),
        ),
    ),
    "forgets the look-up across buckets": Mutant(
        rules=frozenset({"doubled"}),
        deeds=("cosmos-reply-spoilt",),
        changes=(
            Change(
                "shared/services/sequencer.py",
                "        if bucket == 0:\n            return False\n",
                "        return False\n",
            ),
        ),
    ),
}

# Two workers whose clocks differ by minutes: no mutant, and nothing may be found.
SKEWED = (
    Change(
        "shared/adapters/system.py",
        "datetime.now(UTC)",
        "(datetime.now(UTC) + timedelta(minutes=7 * (getpid() % 2)))",
    ),
    Change(
        "shared/adapters/system.py",
        "from datetime import UTC, datetime",
        "from datetime import UTC, datetime, timedelta\nfrom os import getpid",
    ),
)


def copy_project(directory: Path, changes: tuple[Change, ...] = ()) -> Path:
    """Copy what runs into *directory*, make *changes* there, and return where it is.

    Raises:
        AssertionError: A change does not fit the code as it now is.

    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
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
