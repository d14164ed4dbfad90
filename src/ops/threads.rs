use std::{
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::runtime::Runtime;

use super::Error;

/// The size of a stack in bytes, that of a main thread. The usual one is too small for what a verb does.
const STACK: usize = 8 << 20;

/// Runs `work` on `count` threads called `name`, each with a runtime of its own.
///
/// # Errors
/// Fails when not even one thread can be started. `work` was not called then.
pub(super) fn run_on_threads(
    name: &str,
    count: usize,
    work: impl Fn(&Runtime) + Sync,
) -> Result<(), Error> {
    let failed: Mutex<Option<io::Error>> = Mutex::default();
    let note = |error| {
        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert(error);
    };
    let started = AtomicUsize::new(0);
    let work = || match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => {
            started.fetch_add(1, Ordering::Relaxed);
            work(&runtime);
        }
        Err(error) => note(error),
    };
    thread::scope(|scope| {
        for _ in 0..count {
            let thread = thread::Builder::new().name(name.to_owned());
            let thread = thread.stack_size(STACK);
            if let Err(error) = thread.spawn_scoped(scope, work) {
                note(error);
            }
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    match failed.filter(|_| started.load(Ordering::Relaxed) == 0) {
        // The others have done its work.
        None => Ok(()),
        Some(error) => Err(Error::System {
            doing: "starting a thread failed",
            error,
        }),
    }
}
