"""Where the words of a video come from: ``chain.Chain`` is the way in."""
