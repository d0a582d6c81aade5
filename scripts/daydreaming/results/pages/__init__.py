"""Pages to read a cohort's essays in: a folder of static files that opens from a double click or from any server."""
