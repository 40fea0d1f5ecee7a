"""What may happen, and what follows. Plain functions on a session; no Flask, no commit, no sending."""
