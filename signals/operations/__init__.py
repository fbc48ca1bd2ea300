"""Run the service: jobs and their schedule, the server, the installation, and database roles.

Start at `jobs.Worker`.
"""
