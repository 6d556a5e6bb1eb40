"""Capacity and cost model: what a number of users asks of Azure, and what that costs."""
