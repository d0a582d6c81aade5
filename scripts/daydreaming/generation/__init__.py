"""One generation, from its row to its files: specification, prompt, work, store, and what is current."""
