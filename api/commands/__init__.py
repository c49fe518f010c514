"""The commands: each module reads what was typed, asks one question, and shows the answer."""
