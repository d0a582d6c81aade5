"""What the generations came to: scores, pivot tables, failures, the report."""
