"""Serve released figures to coordinators, and to everybody where a setting says so: pages, calls, open data.

Start at `pages`; `tables` makes the figures that pages and the report show.
"""
