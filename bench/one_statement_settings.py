"""The bare view's settings, for the plain views."""

from bench.bare_settings import *  # noqa: F403  all of them

ROOT_URLCONF = "bench.one_statement"
