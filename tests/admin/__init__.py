"""Tests of the back office over HTTP."""
