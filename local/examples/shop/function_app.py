"""A shop: orders in Cosmos DB, receipts in Blob Storage, a queue in between, and a chat beside it.

The life of an order: `place_order` stores it; the change feed hands it to `queue_order`, which
puts its id on the queue; `write_receipt` takes the id, writes the receipt and tells the customer's
page. `report` counts the receipts by a schedule.
"""

import functools
import json
import os
from typing import Any

import azure.functions as func
from azure.cosmos.aio import CosmosClient
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

HUB = {"hubName": "shop", "connectionStringSetting": "AzureSignalRConnectionString"}
PUSH = {"arg_name": "push", "type": "signalR", **HUB}

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@functools.cache
def orders() -> Any:  # noqa: ANN401  # the SDK's container
    client = CosmosClient.from_connection_string(os.environ["CosmosConnection"])
    return client.get_database_client("shop").get_container_client("orders")


@functools.cache
def receipts() -> ContainerClient:
    client = BlobServiceClient.from_connection_string(os.environ["BlobConnection"])
    return client.get_container_client("receipts")


# --- an order ------------------------------------------------------------------------------------


@app.route("orders/{id}", methods=["PUT"])
async def place_order(req: func.HttpRequest) -> func.HttpResponse:
    order = {**req.get_json(), "id": req.route_params["id"]}
    await orders().upsert_item(order)
    return func.HttpResponse(json.dumps(order), status_code=201, mimetype="application/json")


@app.cosmos_db_trigger(
    arg_name="changes",
    connection="CosmosConnection",
    database_name="shop",
    container_name="orders",
    start_from_beginning=True,  # type: ignore[arg-type]  # the annotation is wrong
    feed_poll_delay=200,
)
@app.service_bus_queue_output(arg_name="paid", connection="ServiceBusConnection", queue_name="paid")
def queue_order(changes: func.DocumentList, paid: func.Out[str]) -> None:
    paid.set(json.dumps([change["id"] for change in changes]))


@app.service_bus_queue_trigger(
    arg_name="message", connection="ServiceBusConnection", queue_name="paid"
)
@app.generic_output_binding(**PUSH)
async def write_receipt(message: func.ServiceBusMessage, push: func.Out[str]) -> None:
    order_id = message.get_body().decode()
    order = await orders().read_item(order_id, order_id)
    text = f"{order['quantity']} x {order['article']}"
    await receipts().upload_blob(order_id, text, overwrite=True)
    push.set(json.dumps({"target": "receipt", "arguments": [{"id": order_id, "text": text}]}))


@app.route("receipts/{id}", methods=["GET"])
async def read_receipt(req: func.HttpRequest) -> func.HttpResponse:
    blob = receipts().get_blob_client(req.route_params["id"])
    if not await blob.exists():
        return func.HttpResponse(status_code=404)
    return func.HttpResponse(await (await blob.download_blob()).readall())


# --- by a schedule -------------------------------------------------------------------------------


@app.timer_trigger(arg_name="timer", schedule="0 */5 * * * *", run_on_startup=True)
async def report(timer: func.TimerRequest) -> None:
    """Count the receipts."""
    count = len([name async for name in receipts().list_blob_names()])
    await receipts().upload_blob("report", f"{count} receipts", overwrite=True)


# --- a chat --------------------------------------------------------------------------------------


@app.route("negotiate", methods=["POST"])
@app.generic_input_binding(
    arg_name="connection",
    type="signalRConnectionInfo",
    userId="{headers.x-ms-signalr-userid}",
    **HUB,
)
def negotiate(req: func.HttpRequest, connection: str) -> func.HttpResponse:
    return func.HttpResponse(connection, mimetype="application/json")


@app.generic_trigger(
    arg_name="invocation",
    type="signalRTrigger",
    category="messages",
    event="say",
    **HUB,
)
@app.generic_output_binding(**PUSH)
def say(invocation: str, push: func.Out[str]) -> dict[str, bool]:
    call = json.loads(invocation)
    line = {"from": call["UserId"], "text": call["Arguments"][0]}
    push.set(json.dumps({"target": "said", "arguments": [line]}))
    return {"ok": True}
