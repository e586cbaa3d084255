"""One file per group of commands; each is a few lines over `client.sdk`."""
