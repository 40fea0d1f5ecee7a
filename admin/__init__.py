"""The back office: Flask-Admin views that are tables of facts, over a base that carries the rest."""
