"""The page /mailbox: what was «sent» in a demo. Never part of a production installation."""
