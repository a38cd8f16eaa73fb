"""Steps that stand inline in a loop: the loop's body made a function, with the values that its names had."""
