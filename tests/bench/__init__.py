"""The benchmark: Talon beside a bare Flask application in the same run (./talon bench)."""
