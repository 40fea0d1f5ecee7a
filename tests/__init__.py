"""Tests. Fixtures stand in conftest.py, invented data in make.py, servers in servers.py."""
