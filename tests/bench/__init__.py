"""The measurements of `signals bench`: a developer's tool, no test and no product."""
