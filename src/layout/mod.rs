//! Directories of other tools: detects their layout and reads their files.
//!
//! This module is pure: it turns names and texts into scripts and problems. Each tool has one file,
//! which defines the meaning of names ([`FileKind`]) and the position of scripts in a file.

mod cut;
mod detect;
mod external;
mod line;
mod name;
mod problem;
mod read;
mod tool;
mod unknown_marker;

mod authelia;
mod dbmate;
mod diesel;
mod flyway;
mod golang_migrate;
mod goose;
mod pop;
mod refinery;
mod sql_migrate;
mod sqlx_cli;

#[cfg(test)]
mod testing;

pub use detect::{Ambiguous, detect};
pub use external::{
    ExternalChoice, ExternalEntry, ExternalError, ExternalRecords, ExternalRow, ExternalShape,
    ExternalTool, FoundTable, Surroundings, TABLES_NAMED, UnreadableTable, alembic_id,
    checksum_matches, choose, drizzle_id, own_schemas, recognise, revision_id, table_names,
};
pub use name::{Layout, UnknownLayout};
pub use problem::LayoutProblem;
pub use read::{Fault, FaultKind, read, read_repeatable};
pub(crate) use tool::Depth;
pub(crate) use tool::program;
pub use tool::{FileKind, Holds, ScriptFile, layout_of, sort_out};
pub(crate) use unknown_marker::unknown_marker;
