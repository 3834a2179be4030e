"""What the catalog can be asked, and the ports it needs. Plain functions; no framework, no I/O."""
