"""The web layer: pages and API of each role, and the assets that pages load."""
