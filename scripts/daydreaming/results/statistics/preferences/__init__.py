"""Statistics of pairwise judging: win rates, strengths, consistency, biases, agreement with scores."""
