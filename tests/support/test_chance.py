"""Test that tests which look for a short word leave nothing out that somebody wrote."""
