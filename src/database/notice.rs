//! Notices of PostgreSQL (RAISE NOTICE, RAISE WARNING) for people.
//!
//! sqlx hands them out only as log records of one target, so a small logger
//! passes those on and nothing else.

use std::sync::OnceLock;

use log::{LevelFilter, Log, Metadata, Record};

/// The target sqlx logs them under.
const TARGET: &str = "sqlx::postgres::notice";

/// The target of what we say of a session ourselves, at the level `debug`.
pub(super) const SESSION: &str = "migrator::session";

/// Receives the severity in lower case and the text.
type Show = fn(&str, &str);

static SHOW: OnceLock<Show> = OnceLock::new();

struct Notices;

impl Log for Notices {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        [TARGET, SESSION].contains(&metadata.target())
    }

    fn log(&self, record: &Record<'_>) {
        if let Some(show) = SHOW.get().filter(|_| self.enabled(record.metadata())) {
            let level = record.level().as_str().to_lowercase();
            let is_ours = record.metadata().target() == SESSION;
            let severity = if is_ours { "note" } else { &level };
            show(severity, &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Passes notices on from now on; and with `verbose` what is said of sessions, as a `note`. A program
/// that has a logger of its own keeps it.
pub fn show_notices(show: Show, verbose: bool) {
    let level = if verbose {
        LevelFilter::Debug
    } else {
        LevelFilter::Info
    };
    if SHOW.set(show).is_ok() && log::set_logger(&Notices).is_ok() {
        log::set_max_level(level);
    }
}
