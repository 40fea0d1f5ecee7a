"""People's whole walks through the running site in real Chromium."""
