//! Scenarios: what a caller says and does, and when.
