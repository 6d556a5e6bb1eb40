"""Notifications: decided, delivered, dismissed; and the devices they go to."""
