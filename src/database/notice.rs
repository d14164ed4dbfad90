//! Notices of PostgreSQL (RAISE NOTICE, RAISE WARNING) for people.
//!
//! sqlx hands them out only as log records of one target, so a small logger
//! passes those on and nothing else.

use std::sync::OnceLock;

use log::{LevelFilter, Log, Metadata, Record};

/// The target sqlx logs them under.
const TARGET: &str = "sqlx::postgres::notice";

/// Receives the severity in lower case and the text.
type Show = fn(&str, &str);

static SHOW: OnceLock<Show> = OnceLock::new();

struct Notices;

impl Log for Notices {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET
    }

    fn log(&self, record: &Record<'_>) {
        if let Some(show) = SHOW.get().filter(|_| self.enabled(record.metadata())) {
            show(
                &record.level().as_str().to_lowercase(),
                &record.args().to_string(),
            );
        }
    }

    fn flush(&self) {}
}

/// Passes notices on from now on. A program that has a logger of its own keeps it.
pub fn show_notices(show: Show) {
    if SHOW.set(show).is_ok() && log::set_logger(&Notices).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}
