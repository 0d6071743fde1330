"""Notices to people 通知: what began to need them, what has ended, and the list of the morning."""
