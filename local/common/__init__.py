"""What the stand-ins share: ports, keys, fault knobs, the control surface and process life."""
