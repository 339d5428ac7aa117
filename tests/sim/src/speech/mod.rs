//! Speech as it travels on a telephone line.
