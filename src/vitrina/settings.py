"""Every setting of the service, with its unit, default and limit; read once, at start-up."""
