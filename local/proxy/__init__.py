"""The fault proxies: what lets redis-server and Azurite fail on request."""
