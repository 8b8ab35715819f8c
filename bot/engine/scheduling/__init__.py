"""One model shared among all answers in progress: who is read next, what grows together, and how long it took."""
