"""One module for each capability: its services, built over the ports and the capabilities below.

Order: basis, files, messages, conversations, people, presence, notifications, receipts, admin. Each
takes what was built before it. A new service is built where its capability is.
"""
