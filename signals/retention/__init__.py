"""Delete signals and everything around them when their retention period ends, and again after a restore.

Start at `nightly.Retention.run`. A purge deletes the rows and leaves a deletion record and a fact in one
transaction; then it destroys the case key, which makes every backup of the content unreadable.
"""
