"""The dashboard: server-rendered pages. The only place that knows HTML."""
