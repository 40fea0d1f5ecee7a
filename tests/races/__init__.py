"""Many at once over real HTTP: what may happen once happens once, and without its guard it does not."""
