"""What live state remembers of accounts: over the twin and a real Redis alike."""

import pytest

from shared.domain.ids import ConnectionId, UserId
from shared.ports import Call, SenderErasedError
from tests.contract.ports.ends import LiveEnd
from tests.unit.things import ANN, BOB, CAT, message


async def test_what_is_not_remembered_is_unknown_and_erased_is_never_open(end: LiveEnd) -> None:
    assert await end.accounts.list_states([ANN, BOB]) == ["unknown", "unknown"]

    await end.accounts.note_open([ANN, BOB])
    await end.accounts.note_erasing(ANN)
    assert await end.accounts.list_states([ANN, BOB]) == ["erasing", "open"]
    await end.accounts.note_erased([ANN])
    await end.accounts.note_open([ANN])
    await end.accounts.note_erasing(ANN)

    assert await end.accounts.list_states([ANN, BOB, CAT]) == ["erased", "open", "unknown"]
    await end.lose()
    assert await end.accounts.list_states([ANN]) == ["unknown"]
    assert await end.accounts.list_states([]) == []


@pytest.mark.parametrize("done", [False, True])
async def test_of_the_erased_nothing_is_written_and_a_send_is_told(
    end: LiveEnd, done: bool
) -> None:
    tv = ConnectionId("tv")
    assert (await end.live.enter(Call(ANN, tv))).account == "unknown"
    await end.accounts.note_open([ANN])
    assert (await end.live.enter(Call(ANN, tv))).account == "open"
    await (end.accounts.note_erased([ANN]) if done else end.accounts.note_erasing(ANN))
    await end.live.forget(ANN)

    state = await end.live.enter(Call(ANN, tv))
    assert not await end.presence.close(ANN, tv)
    assert await end.presence.lapse(limit=10) == []

    assert (state.account, state.came_online) == ("erased", False)
    assert await end.live.forget(UserId(ANN)) == 0
    with pytest.raises(SenderErasedError):
        await end.live.record_sent(message(1), [BOB])
