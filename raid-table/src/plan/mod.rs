//! From an array to its device-mapper tables.
