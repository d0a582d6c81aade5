"""What was asked and paid for: requests named by their content, stored replies, the journal of calls, its sums.

Public: `model_request.ModelRequest`, `replies.ReplyStore`, `journal.Journal`, `tally.RunTally`.
"""
