"""What happens without a request: the outbox is emptied, periodic rules are run. rq carries it out."""
