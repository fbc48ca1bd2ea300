"""The measurements of `make bench`: a developer's tool, no test and no product."""
