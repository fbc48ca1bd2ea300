"""Helpers that tests and benchmarks share, among them a real PostgreSQL and a real browser."""
