"""The shop's settings, but a password takes no tenth of a second to hash: guessing is slow on purpose, and fuzzing guesses."""

from kafka_shop.settings import *  # noqa: F403  all of them

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
