//! The mob file.
