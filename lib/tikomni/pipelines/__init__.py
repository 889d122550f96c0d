"""The order of steps of each job; every step itself lives in a room below."""
