//! The whole system under workerd.
