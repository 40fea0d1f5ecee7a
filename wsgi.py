"""What gunicorn and the flask command load."""

import os
import sys

import config
from app.factory import create_app

try:
    app = create_app(config.load(os.environ))
except config.BadSettings as error:
    sys.exit(str(error))
