"""The public site: what a donor sees, without signing in and in the cabinet. Start at ``site.py``."""
