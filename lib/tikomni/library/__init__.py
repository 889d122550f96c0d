"""What is known: works as rows, and their counts over time. ``store.Library`` is the way in."""
