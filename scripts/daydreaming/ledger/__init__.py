"""What was asked and paid for: requests named by their content, stored replies, the journal of calls, its sums."""
