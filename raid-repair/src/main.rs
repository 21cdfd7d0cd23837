//! raid-repair
fn main() {}
