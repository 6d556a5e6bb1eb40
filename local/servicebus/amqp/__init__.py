"""AMQP 1.0 on the link_io: its type system, frames and performatives. No I/O, no Service Bus."""
