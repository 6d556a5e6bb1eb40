"""Whom a message is pushed to: as few sends as there are audiences, and nobody left out."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.conversations.conversation import Member
from shared.domain.events import Push, ToGroup, ToUser
from shared.domain.ids import UserId
from shared.services.messages.posting import _pushes
from tests.unit.things import ANN, BOB, GROUP, group, member, message, pair

crowds = st.integers(1, 100).map(
    lambda size: [member(UserId(f"user-{number}")) for number in range(size)]
)


@given(crowds, st.booleans(), st.data())
def test_a_group_is_one_send_however_many_it_reaches(
    members: list[Member], others: bool, data: st.DataObject
) -> None:
    crowd = group(*members)
    sender = data.draw(st.sampled_from(crowd.member_ids))

    pushes = _pushes(message(1, sender=sender), crowd, sender_has_other_connections=others)

    assert [push.to for push in pushes if isinstance(push, Push)] == [ToGroup(GROUP)]
    assert len(pushes) == 1


@given(st.sampled_from([ANN, BOB]), st.booleans())
def test_a_pair_is_one_send_and_one_more_for_the_senders_other_devices(
    sender: UserId, others: bool
) -> None:
    conversation = pair()
    (other,) = conversation.others(sender)

    pushes = _pushes(message(1, sender=sender), conversation, sender_has_other_connections=others)

    reached = [push.to for push in pushes if isinstance(push, Push)]
    assert reached == [ToUser(other), *([ToUser(sender)] if others else [])]
