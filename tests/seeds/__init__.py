"""The invented data of the demo."""
