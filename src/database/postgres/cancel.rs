//! Stopping what runs, over a connection of its own.

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

/// What a connection and its cancellers both know.
#[derive(Default)]
pub(super) struct Running {
    /// The server process that works for us; another one after a reconnect.
    pid: AtomicI32,
    state: StdMutex<State>,
    /// When it was last begun or ended.
    since: StdMutex<Option<Instant>>,
    /// Held while a request is on its way, so that it cannot hit what comes next.
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

    /// The server process that works for us.
    pub fn pid(&self) -> i32 {
        self.pid.load(Ordering::SeqCst)
    }

    /// From here on a cancel is meant for what runs.
    pub fn begin(&self) {
        self.set(State::Running);
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// When what runs was begun; `None` when nothing runs.
    pub fn since(&self) -> Option<Instant> {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_cancelled(&self) -> bool {
        self.get() == State::Cancelled
    }

    /// Nothing runs any more; waits for a request that is on its way.
    /// Returns whether there was one.
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

    /// Marks what runs as cancelled; false when nothing runs.
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
        // Without a connection the mark alone must do: no further message is sent.
        let Ok((mut connection, _)) = connect::open(&self.options, &[], self.timeout, "").await
        else {
            return;
        };
        let _sending = self.running.sending.lock().await;
        if self.running.is_cancelled() {
            let pid = self.running.pid();
            let sql = format!("SELECT pg_catalog.pg_cancel_backend({pid})");
            // The same: it can only help.
            let _ = rows(&mut connection, &sql).await;
        }
    }
}
