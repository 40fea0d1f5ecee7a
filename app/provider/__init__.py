"""The ESIA of demonstrations and tests: an OpenID provider with invented people. Never in production.

It knows nothing of Talon and shares nothing with it but the look: a process of its own, on a port of its own.
"""
