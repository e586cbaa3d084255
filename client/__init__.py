"""The `fgfi` command and the Python client of the service. Imports no torch."""
