//! mobkit
fn main() {}
