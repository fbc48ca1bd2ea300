"""Prepare a machine for the service: files, roles of PostgreSQL, tables, keys and processes.

Start at `plan.pending`: it returns the steps that are not done yet, so an interrupted run just goes on.
"""
