"""Receive a report on the public side: validate, route, seal and store it in one transaction.

Start at `receiving.Intake.receive`. This folder holds public keys only and never the keystore.
"""
