"""What steps take from iterators: taken down while they run, and handed out again when one is run once more."""
