"""Redis: the real redis-server, started with the settings the stack needs."""
