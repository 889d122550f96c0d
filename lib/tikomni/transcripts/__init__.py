"""Where the words of a video come from: ``chain.words_of`` is the way in."""
