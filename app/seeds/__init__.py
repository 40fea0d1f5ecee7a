"""Invented data for the demo. Nobody here exists; numbers have valid formats only."""
