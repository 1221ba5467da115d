"""A deterministic simulator of the whole shop: one seed is one history, faults included, and the same seed is the same history again.

What is real: the consumers' loop, membership, retries and batches, the handlers and services, the relay's couriers, its sweep and its
republication, the audit, and PostgreSQL, with one session for each simulated process. What is simulated: the broker and its groups, the
processes and how they take turns, time, chance, and everything that goes wrong. Kafka's own client and server are tested elsewhere.

All of it runs in one thread. A process takes a turn; at each of its SQL statements, commits and polls it may be killed, refused, or frozen
while others take turns. Patches from outside do it (`replaced.py`), the product has no switch. After its faults each history runs to rest,
and is judged: by the product's audit, by a model of the shop in plain Python, and by a witness of every position that moved.
"""
