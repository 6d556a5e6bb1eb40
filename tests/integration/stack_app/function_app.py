"""The least an app can be for the stack to call itself ready."""

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.function_name("health")
@app.route("health", methods=["GET"])
async def health(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse('{"status": "ok", "checks": {}}', mimetype="application/json")


@app.function_name("feed_users")
@app.route("site/users", methods=["POST"])
async def feed_users(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=204)
