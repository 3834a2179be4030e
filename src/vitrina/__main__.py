"""``python -m vitrina``: the same as the command ``vitrina``."""

from vitrina.entrypoints.cli import main

if __name__ == "__main__":
    main()
