//! Exit statuses.

use std::process::ExitCode;

/// The exit status of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: success.
    Done,
    /// 1: failure, nothing was changed.
    Failed,
    /// 2: wrong usage or configuration.
    Usage,
    /// 3: a check has found problems.
    CheckFailed,
    /// 4: some steps were done.
    Partway,
    /// 5: timed out waiting for the lock.
    Busy,
    /// 130: interrupted by a signal.
    Interrupted,
}

impl Exit {
    /// The number seen by the shell.
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
