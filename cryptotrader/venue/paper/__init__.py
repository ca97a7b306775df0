"""The paper exchange: an exchange of our own, with its own book, for practice, replay and tests."""
