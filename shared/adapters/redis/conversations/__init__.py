"""What Redis keeps of a conversation: head, receipts, what is to be flushed, what is reconciled."""
