"""A real Apache Kafka for tests and benchmarks: jars by Maven, brokers as child processes, no Docker."""
