"""What the pages show, worked out before any HTML: frozen dataclasses made from rows."""
