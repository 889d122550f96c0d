"""Where files go: names that every system accepts, folders that were checked, whole files or none."""
