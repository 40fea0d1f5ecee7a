"""Tests of the development mailbox."""
