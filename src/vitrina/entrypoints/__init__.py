"""The ways in: HTTP and the command line. Thin: translate, call, translate back."""
