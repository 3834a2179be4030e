"""The documentation says what is true: read the pages, run what they show, compare with the code."""
