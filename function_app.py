"""Parley's function app: one registration per trigger family, and nothing else."""

import azure.functions as func

from shared import telemetry
from triggers import (
    admin,
    bus,
    feed,
    http_account,
    http_conversations,
    http_messages,
    hub,
    scan,
    site,
    timer,
    user_data,
)

telemetry.mark_logs()

# Tokens are the website's and are checked in code: docs/decisions/0003-tokens-in-code.md.
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

for family in (
    http_account,
    http_conversations,
    http_messages,
    hub,
    feed,
    bus,
    timer,
    site,
    user_data,
    scan,
    admin,
):
    app.register_functions(family.bp)
