"""Catalogues: parts by topic in ``<language>/<topic>.po``, put together by ``compile``."""
