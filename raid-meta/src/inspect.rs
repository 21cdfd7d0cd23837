//! Metadata field by field: dump, get, diff, check, and the annotated hexdump.
