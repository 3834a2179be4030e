"""Adapters against the real thing: disks, processes, signals, files of people."""
