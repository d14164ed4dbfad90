//! The `migrator` command.

fn main() {}
