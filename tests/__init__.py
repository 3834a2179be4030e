"""What proves that Vitrina keeps its word."""
