"""Keep organisations, the people that they name to receive messages, and their settings.

Start at `onboarding`: it decides which organisation receives reports.
"""
