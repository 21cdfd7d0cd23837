//! Device-mapper target lines as types.
