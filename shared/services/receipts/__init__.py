"""Receipts: acknowledged, flushed, and heads reconciled with the store."""
