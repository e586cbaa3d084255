"""The REST API under /v1 and the dashboard under /. Never loads torch or the worker."""
