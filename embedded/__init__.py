"""The one-machine stack: PostgreSQL, Redis, API, steward and worker as children of one command."""
