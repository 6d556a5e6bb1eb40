"""Change feeds: stored messages become notices; changed conversations complete what is derived."""

import json
from typing import Final

import azure.functions as func

from shared.adapters.items import conversation_from_item, message_from_item
from shared.bootstrap import chat
from shared.domain.events import Effect
from triggers.edge import DATABASE, PUSHES, push

bp = func.Blueprint()

_COSMOS: Final = "CosmosConnection"
_POLL_MS: Final = 1000
_MOST: Final = 100


@bp.function_name("notify_absent")
@bp.cosmos_db_trigger(
    arg_name="documents",
    connection=_COSMOS,
    database_name=DATABASE,
    container_name="messages",
    lease_container_name="leases",
    lease_container_prefix="notify",
    create_lease_container_if_not_exists=False,
    feed_poll_delay=_POLL_MS,
    max_items_per_invocation=_MOST,
)
@bp.retry(
    strategy="exponential_backoff",
    max_retry_count="-1",
    minimum_interval="00:00:01",
    maximum_interval="00:01:00",
)
async def notify_absent(documents: func.DocumentList) -> None:
    """Queue notices for members who have not acknowledged these messages."""
    messages = [message_from_item(json.loads(one.to_json())) for one in documents]
    await (await chat()).notifications.decide(messages)


@bp.function_name("process_attachments")
@bp.cosmos_db_trigger(
    arg_name="documents",
    connection=_COSMOS,
    database_name=DATABASE,
    container_name="messages",
    lease_container_name="leases",
    lease_container_prefix="files",
    create_lease_container_if_not_exists=False,
    feed_poll_delay=_POLL_MS,
    max_items_per_invocation=_MOST,
)
@bp.retry(
    strategy="exponential_backoff",
    max_retry_count="-1",
    minimum_interval="00:00:01",
    maximum_interval="00:01:00",
)
@bp.generic_output_binding(**PUSHES)
async def process_attachments(documents: func.DocumentList, pushes: func.Out[str]) -> None:
    """Make thumbnails of the pictures in these messages, and bring late verdicts to them."""
    messages = [message_from_item(json.loads(one.to_json())) for one in documents]
    push(pushes, await (await chat()).files.process(messages))


@bp.function_name("complete_memberships")
@bp.cosmos_db_trigger(
    arg_name="documents",
    connection=_COSMOS,
    database_name=DATABASE,
    container_name="conversations",
    lease_container_name="leases",
    lease_container_prefix="memberships",
    create_lease_container_if_not_exists=False,
    feed_poll_delay=_POLL_MS,
    max_items_per_invocation=_MOST,
)
@bp.retry(
    strategy="exponential_backoff",
    max_retry_count="-1",
    minimum_interval="00:00:01",
    maximum_interval="00:01:00",
)
@bp.generic_output_binding(**PUSHES)
async def complete_memberships(documents: func.DocumentList, pushes: func.Out[str]) -> None:
    """Complete the memberships of conversations that changed, if a crash came between."""
    effects: list[Effect] = []
    for one in documents:
        conversation = conversation_from_item(json.loads(one.to_json()))
        effects += await (await chat()).membership.repair(conversation)
    push(pushes, effects)
