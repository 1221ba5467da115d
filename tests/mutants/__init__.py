"""Control runs: bugs that are seeded on purpose, one at a time, to see that the suite catches each of them."""
