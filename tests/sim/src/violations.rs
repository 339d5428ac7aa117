//! What the real service would have refused.
