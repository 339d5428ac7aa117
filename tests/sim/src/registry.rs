//! What callers say, known by its frames.
