"""What tests and benchmarks share: a real PostgreSQL and a real browser."""
