"""AMQP 1.0 on the wire: its type system, frames and performatives. No I/O, no Service Bus."""
