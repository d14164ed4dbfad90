//! Cancels the running statement over a separate connection.

use std::{
    sync::{
        Arc, Mutex as StdMutex, PoisonError,
        atomic::{AtomicI32, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{super::Cancel, connect, message::rows, options::ServerOptions};

/// The state shared by a connection and its cancellers.
#[derive(Default)]
pub(super) struct Running {
    /// The server process of the connection, which changes with a reconnect.
    pid: AtomicI32,
    state: StdMutex<State>,
    /// The time when the current request began; `None` if there is none.
    since: StdMutex<Option<Instant>>,
    /// Held while a cancel request is in transit, so that it cannot hit a later statement.
    sending: Mutex<()>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Running,
    Cancelled,
}

impl Running {
    pub fn set_pid(&self, pid: i32) {
        self.pid.store(pid, Ordering::SeqCst);
    }

    /// The server process of the connection.
    pub fn pid(&self) -> i32 {
        self.pid.load(Ordering::SeqCst)
    }

    /// Marks the start of a request that can be cancelled.
    pub fn begin(&self) {
        self.set(State::Running);
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The time when the current request began; `None` if there is none.
    pub fn since(&self) -> Option<Instant> {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_cancelled(&self) -> bool {
        self.get() == State::Cancelled
    }

    /// Marks the end of a request, and waits for a cancel request in transit. Returns whether there
    /// was one.
    pub async fn end(&self) -> bool {
        let cancelled = self.is_cancelled();
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.set(State::Idle);
        drop(self.sending.lock().await);
        cancelled
    }

    fn get(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Marks the current request as cancelled; returns false if there is none.
    fn mark(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == State::Idle {
            return false;
        }
        *state = State::Cancelled;
        true
    }
}

/// Cancels over a second connection.
pub(super) struct Canceller {
    pub options: ServerOptions,
    pub timeout: Duration,
    pub running: Arc<Running>,
}

#[async_trait]
impl Cancel for Canceller {
    async fn cancel(&self) {
        if !self.running.mark() {
            return;
        }
        // Without a connection, the mark alone must suffice: no further message is sent.
        let Ok((mut connection, _)) = connect::open(&self.options, &[], self.timeout, "").await
        else {
            return;
        };
        let _sending = self.running.sending.lock().await;
        if self.running.is_cancelled() {
            let pid = self.running.pid();
            let sql = format!("SELECT pg_catalog.pg_cancel_backend({pid})");
            // A failure is ignored here, too.
            let _ = rows(&mut connection, &sql).await;
        }
    }
}
