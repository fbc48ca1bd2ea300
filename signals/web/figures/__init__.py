"""Serve released figures to coordinators, and to everybody where a setting says so: pages, calls, open data.

Start at `pages`; `story` makes the charts of the first page.
"""
