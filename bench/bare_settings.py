"""The shop's settings without all that the bare view does not need."""

from kafka_shop.settings import *  # noqa: F403  all of them

ROOT_URLCONF = "bench.bare"
WSGI_APPLICATION = None  # Django's own
MIDDLEWARE = []
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
