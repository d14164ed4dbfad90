//! Operations: the commands without a terminal, one file per command.
//!
//! An operation takes typed arguments, a [`Project`] and a [`Session`], and returns a result that
//! `report` can render. It never prints, prompts or ends the process. Operations called `plan_…`
//! are read-only: they take no lock and change nothing.

mod adopt;
mod current;
mod downgrade;
mod edited;
mod ensure_version;
mod error;
mod history;
mod line;
mod migrate;
mod offline;
mod project;
mod redo;
mod repair;
mod schema;
mod scratch;
mod session;
mod show;
mod slow;
mod stamp;
mod status;
#[cfg(test)]
mod tests;
mod upgrade;

#[cfg(feature = "cli")]
mod autogenerate;
#[cfg(feature = "cli")]
mod backup;
mod branches;
#[cfg(feature = "cli")]
mod check;
#[cfg(feature = "cli")]
mod convert;
#[cfg(feature = "cli")]
mod db;
#[cfg(feature = "cli")]
mod edit;
#[cfg(feature = "cli")]
mod files;
#[cfg(feature = "cli")]
mod fleet;
#[cfg(feature = "cli")]
mod init;
#[cfg(feature = "cli")]
mod lint;
#[cfg(feature = "cli")]
mod merge;
#[cfg(feature = "cli")]
mod model;
#[cfg(feature = "cli")]
mod rebase;
#[cfg(feature = "cli")]
mod rehearse;
#[cfg(feature = "cli")]
mod revision;
#[cfg(feature = "cli")]
mod seed;
#[cfg(feature = "cli")]
mod squash;
#[cfg(feature = "cli")]
mod templates;
#[cfg(feature = "cli")]
mod threads;
#[cfg(feature = "cli")]
mod verify;

pub use adopt::{AdoptArgs, AdoptReport, adopt, plan_adopt};
pub use branches::{BranchesReport, Fork, Lead, branches};
pub use current::{CurrentReport, current};
pub use downgrade::{downgrade, plan_downgrade};
pub use ensure_version::{EnsureVersionReport, ensure_version};
pub use error::Error;
pub use history::{HistoryArgs, HistoryReport, LogReport, heads, history, log};
pub use line::{Mark, RevisionLine};
pub use migrate::{MigrateArgs, PlanReport, RunReport};
pub use offline::{OfflineError, ScriptReport, Start, offline, start_and_target};
pub use project::{Project, Scripts};
pub use redo::{RedoArgs, RedoLeft, RedoReport, plan_redo, redo};
pub use repair::{RepairArgs, RepairReport, plan_repair, repair};
pub use schema::{
    Outside, OutsideScript, SchemaArgs, SchemaDiffReport, SchemaDrawReport, SchemaDrift,
    SchemaDumpReport, SchemaFileReport, SchemaProgress, SchemaSource, SourceError, schema_diff,
    schema_draw, schema_drift, schema_dump, write_schema_file,
};
pub use scratch::{
    ScratchArgs, ScratchDatabase, ScratchDropReport, ScratchListReport, drop_scratch_databases,
    list_scratch_databases, scratch,
};
pub use session::Session;
pub use show::{ChangedSince, Differences, ShowArgs, ShowReport, Unasked, show};
pub use stamp::{StampArgs, StampReport, plan_stamp, stamp};
pub use status::{StatusReport, status};
pub use upgrade::{plan_upgrade, upgrade};

#[cfg(feature = "cli")]
pub use autogenerate::{
    AutogenerateArgs, AutogenerateError, AutogenerateReport, Draft, Proof, autogenerate,
};
#[cfg(feature = "cli")]
pub use backup::{
    BackupArgs, BackupReport, BackupsReport, RestoreArgs, RestoreReport, VerifyBackupReport,
    back_up, list_backups, restore, verify_backup,
};
#[cfg(feature = "cli")]
pub use check::{CheckArgs, CheckReport, check, new_since};
#[cfg(feature = "cli")]
pub use convert::{ConvertReport, convert};
#[cfg(feature = "cli")]
pub use db::{DbChange, DbReport, NotReady, create_database, drop_database, wait_for_database};
#[cfg(feature = "cli")]
pub use edit::{EditArgs, EditReport, edit};
#[cfg(feature = "cli")]
pub use files::{RecoveredReport, recover};
#[cfg(feature = "cli")]
pub use fleet::{
    EventReceiver, Fleet, FleetArgs, FleetCheckReport, FleetDrift, FleetEnded, FleetError,
    FleetFinding, FleetListReport, FleetPlan, FleetPlanReport, FleetProgress, FleetRunReport,
    FleetSelection, FleetStatusReport, FleetStop, FleetVerifyReport, ListedTarget, StateSummary,
    TargetProblem, TargetProblemKind, TargetWarning, Voice, fleet_check, fleet_list, fleet_migrate,
    fleet_millis, fleet_status, fleet_verify, plan_fleet_migrate,
};
#[cfg(feature = "cli")]
pub use init::{Baseline, InitFromArgs, InitReport, init, init_from_database, stamp_baseline};
#[cfg(feature = "cli")]
pub use lint::{
    FixArgs, FixError, FixReport, Fixed, FixedFile, Left, LintArgs, LintReport, LintedRevision,
    SizeSnapshot, SizesError, TableSize, Unproven, fix, lint, measure_sizes, read_sizes,
    write_sizes,
};
#[cfg(feature = "cli")]
pub use merge::{MergeError, merge};
#[cfg(feature = "cli")]
pub use model::{ModelArgs, ModelDrift};
#[cfg(feature = "cli")]
pub use rebase::{RebaseArgs, RebaseReport, rebase};
#[cfg(feature = "cli")]
pub use rehearse::{
    Blocks, CopySource, Hold, LockSpan, NotRestored, RehearseArgs, RehearseError, RehearseReport,
    RehearsedRevision, RehearsedStatement, Reverted, RowCount, rehearse,
};
#[cfg(feature = "cli")]
pub use revision::{NewRevisionReport, RevisionArgs, repeatable, revision};
#[cfg(feature = "cli")]
pub use scratch::{ScratchSeed, SeedReport};
#[cfg(feature = "cli")]
pub use seed::{Coverage, seed, seed_toward};
#[cfg(feature = "cli")]
use seed::{SeedStatement, seed_file};
#[cfg(feature = "cli")]
pub use squash::{SquashArgs, SquashReport, squash};
#[cfg(feature = "cli")]
pub use templates::{TemplateLine, TemplatesReport, list_templates};
#[cfg(feature = "cli")]
pub use verify::{
    Definitions, NotVerified, Script as VerifyScript, Unlike, Verdict, VerifiedRevision,
    VerifyArgs, VerifyFinding, VerifyNote, VerifyReport, verify,
};
