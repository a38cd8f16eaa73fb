"""The widgets that panes are made of: lists, header, timeline, tabs, footer, prompt."""
