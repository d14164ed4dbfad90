use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use async_trait::async_trait;

use super::{super::Cancel, handle::Interruptible};

/// The longest pause while another program has locked the database.
const NAP: Duration = Duration::from_millis(25);

/// The state shared by a connection, its callbacks and its cancellers. It outlives connections.
pub(super) struct Control {
    target: Mutex<Target>,
    cancelled: AtomicBool,
    patience: Duration,
    waiting_since: Mutex<Option<Instant>>,
    /// Asks whether the current work should stop.
    stopped: Option<Stopped>,
}

type Stopped = Arc<dyn Fn() -> bool + Send + Sync>;

#[derive(Default)]
struct Target {
    /// The open connection.
    connection: Option<Interruptible>,
    /// Whether a step is running on the connection.
    running: bool,
}

impl Control {
    /// Creates the state; `patience` is how long to wait for a locked database.
    pub fn new(patience: Duration) -> Arc<Self> {
        Self::make(patience, None)
    }

    /// Creates the state for work that also ends when `stopped` returns true.
    #[cfg(feature = "cli")]
    pub fn watching(patience: Duration, stopped: Stopped) -> Arc<Self> {
        Self::make(patience, Some(stopped))
    }

    fn make(patience: Duration, stopped: Option<Stopped>) -> Arc<Self> {
        Arc::new(Self {
            target: Mutex::default(),
            cancelled: AtomicBool::new(false),
            patience,
            waiting_since: Mutex::default(),
            stopped,
        })
    }

    /// How long to wait for a locked database.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    pub fn attach(&self, connection: Interruptible) {
        lock(&self.target).connection = Some(connection);
    }

    /// Detaches the connection. After this returns, nothing interrupts it any more.
    pub fn detach(&self) {
        lock(&self.target).connection = None;
    }

    /// Allows a cancel until the guard is dropped.
    pub fn start(self: &Arc<Self>) -> Running {
        let mut target = lock(&self.target);
        target.running = true;
        self.cancelled.store(false, Ordering::SeqCst);
        Running(Arc::clone(self))
    }

    /// Whether the current work was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
            || self.stopped.as_ref().is_some_and(|stopped| stopped())
    }

    /// Sleeps while the database is locked; returns false when it is time to give up. `attempt`
    /// counts from 0.
    pub fn wait_while_busy(&self, attempt: i32) -> bool {
        let mut since = lock(&self.waiting_since);
        if attempt == 0 {
            *since = None;
        }
        let waited = since.get_or_insert_with(Instant::now).elapsed();
        drop(since);
        if self.is_cancelled() || waited >= self.patience {
            return false;
        }
        let nap = Duration::from_millis(1 << attempt.clamp(0, 10));
        thread::sleep(nap.min(NAP).min(self.patience - waited));
        true
    }
}

/// A guard for work that can be cancelled.
pub(super) struct Running(Arc<Control>);

impl Drop for Running {
    fn drop(&mut self) {
        lock(&self.0.target).running = false;
        self.0.cancelled.store(false, Ordering::SeqCst);
    }
}

/// Cancels the running step.
pub(super) struct Canceller(pub(super) Arc<Control>);

#[async_trait]
impl Cancel for Canceller {
    async fn cancel(&self) {
        let target = lock(&self.0.target);
        if !target.running {
            return;
        }
        self.0.cancelled.store(true, Ordering::SeqCst);
        if let Some(connection) = &target.connection {
            connection.interrupt();
        }
    }
}

/// Locks a mutex even if it is poisoned: the plain values inside stay valid after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cancel_reaches_only_what_runs() {
        let control = Control::new(Duration::ZERO);
        let canceller = Canceller(Arc::clone(&control));
        canceller.cancel().await;
        assert!(!control.is_cancelled());
        let running = control.start();
        canceller.cancel().await;
        assert!(control.is_cancelled());
        drop(running);
        assert!(!control.is_cancelled());
    }

    #[test]
    fn patience_ends() {
        assert!(!Control::new(Duration::ZERO).wait_while_busy(0));
        assert!(Control::new(Duration::from_secs(3600)).wait_while_busy(0));
    }

    #[test]
    fn a_cancel_ends_patience() {
        let control = Control::new(Duration::from_secs(3600));
        let _running = control.start();
        control.cancelled.store(true, Ordering::SeqCst);
        assert!(!control.wait_while_busy(0));
    }
}
