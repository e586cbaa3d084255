"""What both sides persist: all SQL and all object storage."""
