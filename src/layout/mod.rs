//! Directories of other tools: whose files these are, and what each file is to us.
//!
//! Pure: names and texts come in, scripts and problems come out.

mod name;

pub use name::{Layout, UnknownLayout};
