use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::{EventKind, Sink};
use crate::database::Cancel;

/// Requests to stop a run, shared between the signal thread and the run.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    signals: AtomicU8,
    /// The number of [`Hold`]s.
    held: AtomicUsize,
    notify: Notify,
}

/// Work that ends before anybody who waits for [`Stop::takes_effect`] goes on.
#[derive(Debug)]
pub(crate) struct Hold(Stop);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.0.held.fetch_sub(1, Ordering::SeqCst);
        self.0.0.notify.notify_waiters();
    }
}

impl Stop {
    /// Adds a request to stop. Returns the number of requests so far.
    pub fn request(&self) -> u8 {
        let before = self
            .0
            .signals
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| {
                Some(n.saturating_add(1))
            });
        self.0.notify.notify_waiters();
        before.map_or(u8::MAX, |n| n.saturating_add(1))
    }

    /// Whether a stop was requested.
    pub fn is_requested(&self) -> bool {
        self.0.signals.load(Ordering::SeqCst) > 0
    }

    /// Whether a stop was requested at least twice, so that the running statement is cancelled.
    pub fn is_forced(&self) -> bool {
        self.0.signals.load(Ordering::SeqCst) > 1
    }

    /// Delays the effect of requests while the value lives.
    #[must_use]
    pub(crate) fn hold(&self) -> Hold {
        self.0.held.fetch_add(1, Ordering::SeqCst);
        Hold(self.clone())
    }

    /// Waits for the first request.
    pub async fn requested(&self) {
        self.until(|it| it.is_requested()).await;
    }

    /// Waits for the first request, and until nothing holds it up.
    pub(crate) async fn takes_effect(&self) {
        let is_free = |it: &Self| it.0.held.load(Ordering::SeqCst) == 0;
        self.until(|it| it.is_requested() && is_free(it)).await;
    }

    async fn until(&self, holds: impl Fn(&Self) -> bool) {
        loop {
            let notified = self.0.notify.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if holds(self) {
                return;
            }
            notified.await;
        }
    }
}

/// The interval between two attempts to cancel. A statement may start right after an attempt, or
/// the attempt may not have reached the server.
const AGAIN: Duration = Duration::from_millis(250);

/// Turns SIGINT, SIGTERM and SIGHUP into requests to stop: the first lets the running revision
/// finish, the second cancels it and everything after it. Under nohup, SIGHUP stays ignored.
///
/// A separate thread receives the signals, since SQLite works on the thread that runs the plan. It
/// ends with the process.
///
/// # Errors
/// Fails when no handler can be installed or no thread started.
pub fn watch(stop: Stop, canceller: Arc<dyn Cancel>, sink: Sink) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let signals = {
        let _inside = runtime.enter();
        Signals::install()?
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || runtime.block_on(obey(signals, stop, canceller, sink)))
        .map(drop)
}

/// Turns SIGINT, SIGTERM and SIGHUP into requests to stop, for work that checks for them itself.
///
/// # Errors
/// Fails when no handler can be installed or no thread started.
pub fn listen(stop: Stop) -> io::Result<()> {
    struct Nothing;

    #[async_trait::async_trait]
    impl Cancel for Nothing {
        async fn cancel(&self) {}
    }

    watch(stop, Arc::new(Nothing), Sink::silent())
}

async fn obey(mut signals: Signals, stop: Stop, canceller: Arc<dyn Cancel>, sink: Sink) {
    if !signals.next().await {
        return;
    }
    stop.request();
    sink.tell(EventKind::StopRequested);
    if !signals.next().await {
        return;
    }
    stop.request();
    sink.tell(EventKind::CancelRequested);
    loop {
        canceller.cancel().await;
        tokio::time::sleep(AGAIN).await;
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn install() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = (!hangup_is_ignored()).then(|| signal(SignalKind::hangup()));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: hangup.transpose()?,
        })
    }

    async fn next(&mut self) -> bool {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            got = self.interrupt.recv() => got.is_some(),
            got = self.terminate.recv() => got.is_some(),
            got = hangup => got.is_some(),
        }
    }
}

/// Whether SIGHUP is ignored, as under nohup, so that the process outlives its terminal.
#[cfg(unix)]
pub fn hangup_is_ignored() -> bool {
    // SAFETY: no handler is set, and `sigaction` is plain data that may be all zeros.
    unsafe {
        let mut current: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGHUP, std::ptr::null(), &raw mut current) == 0
            && current.sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn install() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> bool {
        tokio::signal::ctrl_c().await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_are_counted_and_wake_who_waits() {
        let stop = Stop::default();
        assert!(!stop.is_requested());
        let waiter = tokio::spawn({
            let stop = stop.clone();
            async move { stop.requested().await }
        });
        tokio::task::yield_now().await;
        assert_eq!(stop.request(), 1);
        assert!(stop.is_requested() && !stop.is_forced());
        assert_eq!(stop.request(), 2);
        assert!(stop.is_forced());
        waiter.await.unwrap();
        stop.requested().await;
    }

    #[tokio::test]
    async fn what_holds_a_request_up_ends_first() {
        let stop = Stop::default();
        let held = stop.hold();
        stop.request();
        let waiter = tokio::spawn({
            let stop = stop.clone();
            async move { stop.takes_effect().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        drop(held);
        waiter.await.unwrap();
    }
}
