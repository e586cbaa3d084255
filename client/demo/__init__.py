"""`fgfi demo`: the whole service on real images, from nothing to a distilled detector."""
