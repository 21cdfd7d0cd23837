//! raid-probe
fn main() {}
