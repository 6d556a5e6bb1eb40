"""A small app for the host's contract tests: it uses every binding the host serves."""

import asyncio
import json
import logging
import os
import sys

import azure.functions as func
from azure.functions.warmup import WarmUpContext

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

HUB = "Chat"
SETTING = "AzureSignalRConnectionString"

fired: list[dict[str, object]] = []
warmed_up: list[int] = []


def reply(value: object, status: int = 200) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(value), status_code=status, mimetype="application/json")


@app.function_name("echo")
@app.route("echo/{first}/{second?}", methods=["GET", "POST", "PUT", "HEAD"])
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    return reply(
        {
            "method": req.method,
            "url": req.url,
            "route": dict(req.route_params),
            "query": dict(req.params),
            "header": req.headers.get("X-Probe"),
            "body": req.get_body().decode("latin-1"),
        }
    )


@app.function_name("literal")
@app.route("echo/literal", methods=["GET"])
async def literal(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("literal")


@app.function_name("numbered")
@app.route("numbered/{id:int}", methods=["GET"])
async def numbered(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.route_params["id"])


@app.function_name("shaped")
@app.route("shaped", methods=["GET"])
async def shaped(req: func.HttpRequest) -> func.HttpResponse:
    answer = func.HttpResponse(b"\x00\xff", status_code=418, mimetype="application/octet-stream")
    answer.headers["X-Shape"] = "round"
    answer.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
    answer.headers.add("Set-Cookie", "b=2; SameSite=Lax")
    return answer


@app.function_name("text")
@app.route("text", methods=["GET"])
async def text(req: func.HttpRequest) -> str:
    return "plain"


@app.function_name("broken")
@app.route("broken", methods=["GET"])
async def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("a secret of the function")


@app.function_name("threaded")
@app.route("threaded", methods=["GET"])
def threaded(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("from a thread")


@app.function_name("slow")
@app.route("slow", methods=["GET"])
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(float(req.params["seconds"]))
    return func.HttpResponse("done")


@app.function_name("keyed")
@app.route("keyed", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def keyed(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")


@app.function_name("process")
@app.route("process", methods=["GET"])
async def process(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger(__name__).info("asked for the process")
    return reply({"pid": os.getpid(), "warmedUp": len(warmed_up), "fired": fired})


@app.function_name("negotiate")
@app.route("negotiate", methods=["POST"])
@app.generic_input_binding(
    arg_name="info",
    type="signalRConnectionInfo",
    hub_name=HUB,
    user_id="{headers.x-user}",
    connection_string_setting=SETTING,
)
async def negotiate(req: func.HttpRequest, info: str) -> func.HttpResponse:
    return func.HttpResponse(info, mimetype="application/json")


@app.function_name("invoke_echo")
@app.generic_trigger(
    arg_name="invocation",
    type="signalRTrigger",
    hub_name="%HUB_NAME%",
    category="messages",
    event="echo",
    connection_string_setting=SETTING,
)
async def invoke_echo(invocation: str) -> object:
    return {"seen": json.loads(invocation)}


@app.function_name("invoke_give")
@app.generic_trigger(
    arg_name="invocation",
    type="signalRTrigger",
    hub_name=HUB,
    category="messages",
    event="give",
    connection_string_setting=SETTING,
)
async def invoke_give(invocation: str) -> object:
    kind = json.loads(invocation)["Arguments"][0]
    values = {"true": True, "text": "text", "none": None, "list": [1, {"a": None}], "half": 0.5}
    return values[kind]


@app.function_name("invoke_pair")
@app.generic_trigger(
    arg_name="invocation",
    type="signalRTrigger",
    hub_name=HUB,
    category="messages",
    event="pair",
    parameter_names=["left", "right"],
    connection_string_setting=SETTING,
)
async def invoke_pair(invocation: str) -> str:
    return "two"


@app.function_name("connected")
@app.generic_trigger(
    arg_name="invocation",
    type="signalRTrigger",
    hub_name=HUB,
    category="connections",
    event="connected",
    connection_string_setting=SETTING,
)
async def connected(invocation: str) -> None:
    if json.loads(invocation)["UserId"] == "nobody":
        raise PermissionError("not you")


@app.function_name("disconnected")
@app.generic_trigger(
    arg_name="invocation",
    type="signalRTrigger",
    hub_name=HUB,
    category="connections",
    event="disconnected",
    connection_string_setting=SETTING,
)
async def disconnected(invocation: str) -> None:
    raise RuntimeError("never seen by the service")


@app.function_name("push")
@app.route("push", methods=["POST"])
@app.generic_output_binding(
    arg_name="messages", type="signalR", hub_name=HUB, connection_string_setting=SETTING
)
async def push(req: func.HttpRequest, messages: func.Out[str]) -> func.HttpResponse:
    messages.set(req.get_body().decode())
    return func.HttpResponse("pushed")


@app.function_name("invoke_push")
@app.generic_trigger(
    arg_name="invocation",
    type="signalRTrigger",
    hub_name=HUB,
    category="messages",
    event="push",
    connection_string_setting=SETTING,
)
@app.generic_output_binding(
    arg_name="messages", type="signalR", hub_name=HUB, connection_string_setting=SETTING
)
async def invoke_push(invocation: str, messages: func.Out[str]) -> object:
    return {"ok": True, "messages": [{"target": "pushed", "arguments": [1]}]}


@app.function_name("ticking")
@app.timer_trigger(arg_name="timer", schedule="%TICKING%", run_on_startup=False)
async def ticking(timer: func.TimerRequest) -> None:
    fired.append({"timer": timer.past_due})


@app.function_name("starting")
@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
async def starting(timer: func.TimerRequest) -> None:
    assert not timer.past_due


@app.function_name("shouting")
@app.route("shouting", methods=["GET"])
async def shouting(req: func.HttpRequest) -> func.HttpResponse:
    sys.stderr.write("x" * 3_000_000 + "\nafterwards\n")
    sys.stderr.flush()
    return func.HttpResponse("done")


@app.function_name("rows")
@app.sql_trigger(arg_name="changes", table_name="People", connection_string_setting="SqlConnection")
async def rows(changes: str) -> None:
    fired.append({"rows": json.loads(changes)})


@app.function_name("scanned")
@app.event_grid_trigger(arg_name="event")
async def scanned(event: func.EventGridEvent) -> None:
    fired.append({"event": event.get_json()})


@app.function_name("warm")
@app.warm_up_trigger(arg_name="context")
async def warm(context: WarmUpContext) -> None:
    warmed_up.append(1)


@app.function_name("invoke_wait")
@app.generic_trigger(
    arg_name="invocation",
    type="signalRTrigger",
    hub_name=HUB,
    category="messages",
    event="wait",
    connection_string_setting=SETTING,
)
async def invoke_wait(invocation: str) -> None:
    await asyncio.sleep(4)
