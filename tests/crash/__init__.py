"""Crash points: a process is stopped before and after each of its effects on database and broker, restarted, and the shop audited."""
