"""The privacy core: sealing, key custody, pseudonyms, receipts, the audit chain and logs that tell nothing.

The lowest layer: it knows no web, no domain and no notification. Only `keystore` and `keystore_schema`
know a database.
"""
