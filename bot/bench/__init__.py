"""`cohost bench intake`: every platform's shapes, from the bytes of a frame to the waiting room."""
