"""The whole of Vitrina from outside: commands, processes, ports and files, with real data."""
