"""The report of a cohort: one HTML page that needs nothing but itself."""
