"""Cosmos DB's SQL: tokens, parser, compiler to closures, and the execution of a query."""
