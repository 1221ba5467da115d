"""Fixtures shared by all tests across services."""

from tests.kafka.fixtures import kafka as kafka
