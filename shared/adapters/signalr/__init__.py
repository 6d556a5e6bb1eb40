"""SignalR Service: groups and connections over its REST API, and its sign of life."""
