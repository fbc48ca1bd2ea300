"""The project's tests; a package, so that `tests.support` can be imported by tests and by the bench."""
