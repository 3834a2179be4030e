"""The command line."""

import typer

app = typer.Typer(no_args_is_help=True, help="Serve a product file as a catalog API.")


@app.callback()
def main_options() -> None:
    """Serve a product file as a catalog API."""


def main() -> None:
    """Run the command ``vitrina``."""
    app()
