"""What the tool and the target say to each other, and how it travels."""
