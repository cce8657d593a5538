"""Stand-ins of what messages are sent over: three chat robots, a webhook, a mail server; strict, and they keep what they took."""
