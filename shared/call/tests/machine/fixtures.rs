//! The calls of `tests/calls`.
