"""Serve what all pages and calls share: problems, headers, languages, and the API description.

Start at `application.bare_application`.
"""
