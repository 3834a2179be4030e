"""The composition root: settings in, an open catalog out."""
