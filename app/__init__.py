"""Talon's application, one folder per layer; each may import only what stands below it.

    factory → cli → ( admin | app.public | app.jobs ) → forms
            → ( extensions, i18n, formats, errors … ) → app.rules → app.models

This package imports nothing itself: that is what prevents import circles. import-linter checks the
order in ``./talon check``.
"""
