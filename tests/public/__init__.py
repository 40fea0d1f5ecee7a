"""Pages of the public site, through the test client, on both engines."""
