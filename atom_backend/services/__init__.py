"""What callers can do, one use-case family a file; the only callers of repositories for writing."""
