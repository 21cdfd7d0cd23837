//! raid-table
fn main() {}
