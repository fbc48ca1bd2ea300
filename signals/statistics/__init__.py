"""Keep facts about follow-up, count them in a fixed menu of tables, and release figures that never change.

Start at `menu`, then `releasing.Releasing.release`; `publications` reads what was released, `estimates` says
what it means.
"""
