"""What gunicorn and the flask command load."""

import gc
import os
import sys

from babel.core import get_global
from babel.localedata import load
from sqlalchemy.orm import configure_mappers

import config
from app.documents import ticket
from app.factory import create_app
from app.i18n import LOCALES

try:
    app = create_app(config.load(os.environ))
except config.BadSettings as error:
    sys.exit(str(error))

if "--preload" in sys.argv:
    # one copy for all web processes of what the first requests would load; a single one loads it when it is asked
    ticket.warm()
    configure_mappers()
    get_global("parent_exceptions")
    for language in LOCALES:
        load(language)
gc.collect()
gc.freeze()  # what lives as long as the process is left alone by the collector, and stays shared after a fork
