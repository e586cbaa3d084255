"""All it takes to run a finished job again and compare: one small file without data and without weights."""
