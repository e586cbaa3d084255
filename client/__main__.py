"""`python -m client`: the `fgfi` command where its script is not on PATH."""

from client.main import main

main()
