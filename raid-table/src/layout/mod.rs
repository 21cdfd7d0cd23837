//! Pure arithmetic: where each sector of an array lives, both directions.
