"""What is known: works, creators, comments, and counts over time. ``store.Library`` is the way in."""
