//! Benchmarks against named baselines.
