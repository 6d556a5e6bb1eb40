"""Azure Cosmos DB for NoSQL on one machine: its REST protocol over HTTP, its data in SQLite."""
