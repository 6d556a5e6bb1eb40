"""What the stand-ins share: ports, keys, faults, the control surface and process life."""
