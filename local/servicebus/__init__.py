"""A stand-in for Azure Service Bus queues: an AMQP 1.0 broker that is durable in SQLite."""
