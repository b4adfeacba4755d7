"""The commands of the service; each calls one thing below and prints its outcome."""
