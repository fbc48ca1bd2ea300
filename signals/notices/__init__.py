"""Notify teams: reminders, drills, and limits that come near.

Start at `reminders`; `channels` builds the channels that carry the messages.
"""
