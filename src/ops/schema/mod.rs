//! The schema of databases, revisions and SQL files.

mod diff;
mod draw;
mod drift;
mod dump;
mod file;
mod load;
mod reader;
mod source;

pub use diff::{SchemaDiffReport, schema_diff};
pub use draw::{SchemaDrawReport, schema_draw};
#[cfg(feature = "cli")]
pub(super) use drift::{MadeSchemas, schema_drift_from};
pub use drift::{SchemaDrift, schema_drift};
pub use dump::{SchemaDumpReport, schema_dump};
#[cfg(feature = "cli")]
pub(super) use file::write;
pub use file::{SchemaFileReport, write_schema_file};
pub use load::{Outside, OutsideScript};
pub use reader::{Progress as SchemaProgress, SchemaArgs};
pub use source::{SchemaSource, SourceError};

pub(super) use load::Sandbox;
#[cfg(feature = "cli")]
pub(super) use load::{Sandboxes, SqlText, lenient, sql_files};
pub(super) use reader::{CREATING, Reader};
