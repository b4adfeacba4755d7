"""Circuit breakers around ports: what is down or hangs is not waited for again and again."""
