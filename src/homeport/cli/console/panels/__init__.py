"""The panels of the page: a file each, whose `read` returns what its template shows."""
