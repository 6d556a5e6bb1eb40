"""A stand-in for Azure SignalR Service in serverless mode.

`protocol`, `handshake`, `tokens` and `frames` do no I/O. `connection` is one client, `hubs` says
who is where, and the transports (`websocket`, `polling`, `sse`) only move bytes. `upstream` calls
the function app, `rest` is called by it.

Source of every rule and number: the service's public documentation, its published REST
description, and the SignalR hub and transport protocol specifications.
"""
