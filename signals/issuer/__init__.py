"""Sign tokens blindly for phones with an enrolment code, apart from the service that spends them.

Start at `service.Issuer`. This folder has its own database and secret, and knows nothing of reports or staff.
"""
