"""A concern at the door, passed on by a carrier and followed up by the right team."""
