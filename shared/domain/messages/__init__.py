"""The rules of messages: drafts, attachments, file names, receipts."""
