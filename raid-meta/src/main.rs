//! raid-meta
fn main() {}
