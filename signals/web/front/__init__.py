"""What the public reaches: the form, the intake API, receipts. Never imports the keystore."""
