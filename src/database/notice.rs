//! Notices of PostgreSQL (RAISE NOTICE, RAISE WARNING) for display.
//!
//! sqlx exposes them only as log records of one target, so a small logger forwards those and
//! nothing else.

use std::sync::OnceLock;

use log::{LevelFilter, Log, Metadata, Record};

/// The log target that sqlx uses for notices.
const TARGET: &str = "sqlx::postgres::notice";

/// The log target of migrator's own messages about a session, at the level `debug`.
pub(super) const SESSION: &str = "migrator::session";

/// Receives the lower-case severity and the text.
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

/// Forwards notices to `show` from now on. With `verbose`, messages about sessions are forwarded as
/// `note`. A logger installed by the program is kept.
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
