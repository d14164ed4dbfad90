//! Detects a frozen connection: a network that drops packets, or a server that does not respond.
//! TCP alone, and psql, would wait for hours.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{PgConnection, Row};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    backend::{AS_LOGIN, Backend, is_process},
    cancel::Running,
    connect,
    message::rows,
    options::ServerOptions,
    socket::Socket,
};

/// The time before the first check and between checks.
const PAUSE: Duration = Duration::from_secs(10);
/// The time between checks while a problem is suspected.
const SHORT_PAUSE: Duration = Duration::from_secs(1);
/// The timeout of a query in the watchdog's session.
const PATIENCE: Duration = Duration::from_secs(4);
/// The time within which the server must answer any client.
const KNOCK_PATIENCE: Duration = Duration::from_secs(3);
/// The number of consecutive checks that must agree.
const CERTAIN: u32 = 3;
/// The idle time after which the result must have been sent.
const ANSWERED: Duration = Duration::from_secs(15);

/// Watches one connection for its lifetime.
pub(super) struct Watchdog {
    task: JoinHandle<()>,
    /// Released with the watchdog, and not when its task is next polled.
    socket: Arc<Mutex<Option<Socket>>>,
    verdict: Arc<Mutex<Option<String>>>,
}

impl Watchdog {
    /// Watches the session `backend` with the socket of its connection.
    pub fn over(
        socket: Option<Socket>,
        options: &ServerOptions,
        backend: &Backend,
        running: &Arc<Running>,
    ) -> Option<Self> {
        let socket = socket?;
        let verdict = Arc::new(Mutex::new(None));
        let watched = Watched {
            options: connect::named(options, "migrator (is the connection alive?)"),
            pid: backend.pid,
            started: backend.started.clone(),
            pooled: backend.pooled,
            running: Arc::clone(running),
            session: None,
        };
        let told = Arc::clone(&verdict);
        let socket = Arc::new(Mutex::new(Some(socket)));
        let kept = Arc::clone(&socket);
        let task = tokio::spawn(async move {
            let reason = watched.until_lost().await;
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
            if let Some(socket) = &*kept.lock().unwrap_or_else(PoisonError::into_inner) {
                socket.end();
            }
        });
        Some(Self {
            task,
            socket,
            verdict,
        })
    }

    /// The reason why the connection was ended, if it was.
    pub fn verdict(&self) -> Option<String> {
        let verdict = self.verdict.lock().unwrap_or_else(PoisonError::into_inner);
        verdict.clone()
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.task.abort();
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        socket.take();
    }
}

struct Watched {
    options: ServerOptions,
    pid: i32,
    started: String,
    /// Behind a pooler, the session may change with each transaction.
    pooled: bool,
    running: Arc<Running>,
    /// The watchdog's own session, opened when first needed.
    session: Option<PgConnection>,
}

/// The result of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Fine,
    /// Nothing answers.
    Silence,
    /// The session no longer exists.
    Gone,
    /// The session is idle while its result is awaited.
    Idle,
}

impl Watched {
    /// Returns the reason why the connection is unusable, once it is.
    async fn until_lost(mut self) -> String {
        let (mut last, mut count) = (Seen::Fine, 0);
        loop {
            sleep(if count == 0 { PAUSE } else { SHORT_PAUSE }).await;
            let seen = self.look().await;
            count = match seen {
                Seen::Fine => 0,
                _ if seen == last => count + 1,
                _ => 1,
            };
            last = seen;
            if count >= CERTAIN {
                return reason(seen).to_owned();
            }
        }
    }

    async fn look(&mut self) -> Seen {
        match timeout(PATIENCE, self.ask()).await {
            Ok(seen) => seen,
            Err(_) => {
                // The watchdog's own session may be the frozen one.
                self.session = None;
                self.knock().await
            }
        }
    }

    /// Queries the activity of the watched session.
    async fn ask(&mut self) -> Seen {
        let waited = self.running.waited();
        let mut session = match self.session.take() {
            Some(session) => session,
            None => match connect::login(&self.options, &[], "").await {
                Ok(session) => session,
                // A server that refuses is alive. A failure to connect says nothing about an
                // existing connection.
                Err(_) => return Seen::Fine,
            },
        };
        let sql = format!(
            "{AS_LOGIN};\nSELECT a.state::text, \
             (date_part('epoch', clock_timestamp() - a.state_change) * 1000)::bigint::text \
             FROM pg_stat_get_activity({}) AS a WHERE {}",
            self.pid,
            is_process(self.pid, &self.started)
        );
        let Ok(found) = rows(&mut session, &sql).await else {
            return Seen::Fine;
        };
        self.session = Some(session);
        if self.pooled {
            return Seen::Fine;
        }
        let Some(row) = found.first() else {
            return Seen::Gone;
        };
        let state = row.try_get::<Option<String>, _>(0).ok().flatten();
        let since = row.try_get::<Option<String>, _>(1).ok().flatten();
        let since = since.and_then(|millis| millis.parse().ok());
        judge(state.as_deref(), since.map(Duration::from_millis), waited)
    }

    /// Whether the server answers at all. A login may wait for locks of a script, but the exchange
    /// before it does not.
    async fn knock(&self) -> Seen {
        if self.options.get_socket().is_some() || self.options.get_host().starts_with('/') {
            return Seen::Fine;
        }
        let answer = async {
            let address = (self.options.get_host(), self.options.get_port());
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(&SSL_REQUEST).await?;
            stream.read(&mut [0; 1]).await
        };
        match timeout(KNOCK_PATIENCE, answer).await {
            // An error is an answer of a living system as well.
            Ok(_) => Seen::Fine,
            Err(_) => Seen::Silence,
        }
    }
}

/// The message with which a client requests TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Judges a session that has been in `state` since that long, while its result was awaited for
/// `waited`.
fn judge(state: Option<&str>, since: Option<Duration>, waited: Option<Duration>) -> Seen {
    let is_idle = state.is_some_and(|state| state.starts_with("idle"));
    let (Some(since), Some(waited)) = (since, waited) else {
        return Seen::Fine;
    };
    if is_idle && since > ANSWERED && waited > ANSWERED {
        return Seen::Idle;
    }
    Seen::Fine
}

fn reason(seen: Seen) -> &'static str {
    match seen {
        Seen::Fine | Seen::Silence => "the server has not answered for 20 s",
        Seen::Gone => "the server ended the session, but the connection was not closed",
        Seen::Idle => "the answer of the server was lost in the network",
    }
}

impl Running {
    /// The time that the current request has been awaited; `None` if there is none.
    fn waited(&self) -> Option<Duration> {
        self.since().map(|since| Instant::now() - since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_does_not_arrive_is_lost() {
        let (short, long) = (Duration::from_secs(1), Duration::from_secs(60));
        let check = |state, since, waited, expected| {
            assert_eq!(
                judge(state, since, waited),
                expected,
                "{state:?} {since:?} {waited:?}"
            );
        };
        check(Some("active"), Some(long), Some(long), Seen::Fine);
        check(Some("idle"), Some(long), Some(long), Seen::Idle);
        check(
            Some("idle in transaction"),
            Some(long),
            Some(long),
            Seen::Idle,
        );
        check(Some("idle"), Some(long), None, Seen::Fine);
        check(Some("idle"), Some(long), Some(short), Seen::Fine);
        check(Some("idle"), Some(short), Some(long), Seen::Fine);
        check(None, None, Some(long), Seen::Fine);
    }
}
