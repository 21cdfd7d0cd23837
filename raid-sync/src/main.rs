//! raid-sync
fn main() {}
