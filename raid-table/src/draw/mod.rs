//! Pictures of a layout.
