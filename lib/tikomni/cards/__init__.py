"""Documents become what people and programs read: checked JSON and Markdown cards. Needs no call, ever."""
