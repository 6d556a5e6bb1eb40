"""Azure on one machine: the services and the Functions host, over their real wire protocols."""
