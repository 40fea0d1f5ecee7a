"""What gunicorn and the flask command load."""

import gc
import os
import sys

import config
from app.factory import create_app

try:
    app = create_app(config.load(os.environ))
except config.BadSettings as error:
    sys.exit(str(error))

gc.collect()
gc.freeze()  # what lives as long as the process is left alone by the collector, and stays shared after a fork
