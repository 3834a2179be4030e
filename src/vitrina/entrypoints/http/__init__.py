"""The HTTP entrypoint: the only place that knows FastAPI."""
