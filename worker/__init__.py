"""Celery, and what surrounds one attempt at a job: supervisor, child, steward."""
