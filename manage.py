#!/usr/bin/env python
"""Django's command line for the shop."""

import os
import sys

from kafka_shop.entry import execute

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kafka_shop.settings")
    sys.exit(execute(sys.argv))
