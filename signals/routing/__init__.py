"""Find the organisation that receives a report for an address on a date.

Start at `table.RoutingTable`, the rule (the longest match wins); `snapshot.Router` keeps it fresh.
"""
