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

/// The longest nap while another program has the database locked.
const NAP: Duration = Duration::from_millis(25);

/// What is shared between a connection, its callbacks and its cancellers. Outlives connections.
pub(super) struct Control {
    target: Mutex<Target>,
    cancelled: AtomicBool,
    patience: Duration,
    waiting_since: Mutex<Option<Instant>>,
    /// Whether someone else wants what runs to end.
    stopped: Option<Stopped>,
}

type Stopped = Arc<dyn Fn() -> bool + Send + Sync>;

#[derive(Default)]
struct Target {
    /// The open connection.
    connection: Option<Interruptible>,
    /// Whether a step runs on it.
    running: bool,
}

impl Control {
    /// `patience` is how long to wait for a locked database.
    pub fn new(patience: Duration) -> Arc<Self> {
        Self::make(patience, None)
    }

    /// The same for work that ends, too, when `stopped` says so.
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

    /// After it returns nobody interrupts the connection any more.
    pub fn detach(&self) {
        lock(&self.target).connection = None;
    }

    /// From now on, and until the guard is dropped, a cancel has something to stop.
    pub fn start(self: &Arc<Self>) -> Running {
        let mut target = lock(&self.target);
        target.running = true;
        self.cancelled.store(false, Ordering::SeqCst);
        Running(Arc::clone(self))
    }

    /// Whether what runs has been cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
            || self.stopped.as_ref().is_some_and(|stopped| stopped())
    }

    /// Naps while the database is locked; false when it is time to give up. `attempt` counts from 0.
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

/// Something runs that a cancel stops.
pub(super) struct Running(Arc<Control>);

impl Drop for Running {
    fn drop(&mut self) {
        lock(&self.0.target).running = false;
        self.0.cancelled.store(false, Ordering::SeqCst);
    }
}

/// Stops the step that runs.
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

/// Plain values are behind these locks, which a panic elsewhere leaves whole.
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
