"""Released figures for coordinators, and for everybody where a setting says so: pages, calls, open data."""
