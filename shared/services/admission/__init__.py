"""What every call passes first: its limits, its lease, and the conversation that it may work on."""
