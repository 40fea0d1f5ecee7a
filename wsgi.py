"""What gunicorn and the flask command load."""

import gc
import os
import sys

import config
from app.documents import ticket
from app.factory import create_app

try:
    app = create_app(config.load(os.environ))
except config.BadSettings as error:
    sys.exit(str(error))

if (
    "--preload" in sys.argv
):  # one copy for all web processes; a single one draws when it is asked to
    ticket.warm()
gc.collect()
gc.freeze()  # what lives as long as the process is left alone by the collector, and stays shared after a fork
