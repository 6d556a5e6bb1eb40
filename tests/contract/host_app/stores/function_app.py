"""The second app of the host's contract tests: it is driven by a queue and a change feed.

Functions leave what they saw in the blackboard, which `GET /api/seen` shows.
"""

import json
import os

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

blackboard: list[dict[str, object]] = []
broken_times: dict[str, int] = {}


def fail_first(name: str, times: int) -> None:
    broken_times[name] = broken_times.get(name, 0) + 1
    if broken_times[name] <= times:
        raise RuntimeError(f"attempt {broken_times[name]}")


@app.function_name("seen")
@app.route("seen", methods=["GET"])
async def seen(req: func.HttpRequest) -> func.HttpResponse:
    answer = {"pid": os.getpid(), "items": blackboard}
    return func.HttpResponse(json.dumps(answer), mimetype="application/json")


@app.function_name("enqueue")
@app.route("enqueue", methods=["POST"])
@app.service_bus_queue_output(
    arg_name="messages", queue_name="notifications", connection="ServiceBusConnection"
)
async def enqueue(req: func.HttpRequest, messages: func.Out[str]) -> func.HttpResponse:
    messages.set(req.get_body().decode())
    return func.HttpResponse("queued")


@app.function_name("notified")
@app.service_bus_queue_trigger(
    arg_name="message", queue_name="notifications", connection="ServiceBusConnection"
)
async def notified(message: func.ServiceBusMessage) -> None:
    body = json.loads(message.get_body())
    blackboard.append(
        {
            "function": "notified",
            "body": body,
            "deliveryCount": message.delivery_count,
            "messageId": message.message_id,
            "properties": message.application_properties,
            "enqueuedAt": str(message.enqueued_time_utc),
        }
    )
    fail_first(f"message {body['id']}", body.get("failures", 0))


@app.function_name("changed")
@app.cosmos_db_trigger(
    arg_name="documents",
    connection="CosmosConnection",
    database_name="parley",
    container_name="users",
    lease_container_name="leases",
    lease_container_prefix="changed",
    create_lease_container_if_not_exists=False,
    feed_poll_delay=200,
)
@app.retry(strategy="fixed_delay", max_retry_count="-1", delay_interval="00:00:01")
async def changed(documents: func.DocumentList) -> None:
    for document in documents:
        blackboard.append({"function": "changed", "id": document["id"]})
        fail_first(f"document {document['id']}", document.get("failures", 0))


@app.function_name("glimpsed")
@app.cosmos_db_trigger(
    arg_name="documents",
    connection="CosmosConnection",
    database_name="parley",
    container_name="users",
    lease_container_name="leases",
    lease_container_prefix="glimpsed",
    start_from_beginning=True,  # type: ignore[arg-type]  # the library's hint says time
    max_items_per_invocation=1,
    feed_poll_delay=200,
)
async def glimpsed(documents: func.DocumentList) -> None:
    for document in documents:
        blackboard.append({"function": "glimpsed", "id": document["id"]})
        fail_first(f"glimpse {document['id']}", document.get("failures", 0))


@app.service_bus_queue_trigger(
    arg_name="message", connection="ServiceBusConnection", queue_name="forgotten"
)
def forgotten(message: func.ServiceBusMessage) -> None:
    """Wait for messages of a queue that nobody has declared."""


@app.cosmos_db_trigger(
    arg_name="items", connection="CosmosConnection", database_name="parley", container_name="lost"
)
def lost(items: func.DocumentList) -> None:
    """Wait for changes of a container that nobody has declared."""


@app.cosmos_db_trigger(
    arg_name="items", connection="CosmosConnection", database_name="nowhere", container_name="x"
)
def nowhere(items: func.DocumentList) -> None:
    """Wait for changes in a database that nobody has declared."""
