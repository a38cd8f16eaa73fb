"""Stands before scikit-learn in every process that the tests start: Keras imports it for wrappers that no test uses.

That would be a second of each of more than a hundred processes. Keras does without where it is not installed.
"""

raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn")
