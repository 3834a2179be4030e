"""What each adapter of a port promises; no test here may ask which adapter runs."""
