"""Another system's sign-in by OpenID Connect (ESIA): asked over HTTP, and believed only after every check.

Rules know nothing of it: what it has found out is an ``Asserted`` of app.rules.esia.
"""
