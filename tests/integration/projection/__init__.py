"""The person's files and the catalog, in step."""
