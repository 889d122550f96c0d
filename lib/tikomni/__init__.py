"""tikomni: facts, words and cards from public posts on social platforms, over one paid upstream."""

__version__ = "0.1.0"
