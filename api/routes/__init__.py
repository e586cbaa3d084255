"""The REST resources, one file each, under /v1."""
