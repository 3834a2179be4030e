"""What a product catalog is: values, aggregates and their rules.

Pure Python: no file, no clock, no framework. Everything here is immutable, so a value may be
shared by every thread, and abandoning a change is dropping a reference.
"""
