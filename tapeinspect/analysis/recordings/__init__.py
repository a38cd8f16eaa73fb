"""Two recordings of one script, or of two versions of it, held against each other."""
