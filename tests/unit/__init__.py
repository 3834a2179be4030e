"""Domain, use cases and pure functions: no disk, no socket, no waiting."""
