//! Pure rules of the business.
