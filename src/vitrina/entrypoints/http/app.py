"""The application."""

from fastapi import FastAPI

from vitrina import __version__


def create_app() -> FastAPI:
    """Return the application; the catalog opens at startup, never at import."""
    return FastAPI(title="Vitrina", version=__version__)
