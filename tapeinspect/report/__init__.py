"""Output without a screen: text and JSON."""
