//! Directories of other tools: whose files these are, and what each file is to us.
//!
//! Pure: names and texts come in, scripts and problems come out.

mod foreign;
mod name;

pub use foreign::{
    ForeignEntry, ForeignError, ForeignRecords, ForeignRow, ForeignShape, ForeignTool, FoundTable,
    checksum_matches, choose, revision_id, table_names,
};
pub use name::{Layout, UnknownLayout};
