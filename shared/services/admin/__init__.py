"""What operators start, and whether the services behind the chat answer."""
