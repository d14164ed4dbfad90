//! Exit statuses.

use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed, nothing changed.
    Failed,
    /// 2: wrong usage or configuration.
    Usage,
    /// 3: a check says no.
    CheckFailed,
    /// 4: some steps are done.
    Partway,
    /// 5: the lock was busy.
    Busy,
    /// 130: interrupted by a signal.
    Interrupted,
}

impl Exit {
    /// The number the shell sees.
    pub fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::CheckFailed => 3,
            Self::Partway => 4,
            Self::Busy => 5,
            Self::Interrupted => 130,
        }
    }

    /// The exit status of the process.
    pub fn code(self) -> ExitCode {
        ExitCode::from(self.status())
    }
}
