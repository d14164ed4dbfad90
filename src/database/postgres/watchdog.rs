//! Notices a connection that is frozen: a network that drops what is sent, or a server that
//! answers nobody. TCP alone would wait for hours, and psql does.

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
    backend::{AS_LOGIN, Backend, STARTED},
    cancel::Running,
    connect,
    message::rows,
    options::ServerOptions,
    socket::Socket,
};

/// Between two looks, and before the first.
const PAUSE: Duration = Duration::from_secs(10);
/// Between two looks while something seems to be wrong.
const SHORT_PAUSE: Duration = Duration::from_secs(1);
/// How long a session of the watchdog's may take to answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long the server may take to answer anybody at all.
const KNOCK_PATIENCE: Duration = Duration::from_secs(3);
/// Looks in a row that have to agree.
const CERTAIN: u32 = 3;
/// A server that has been idle for so long has answered.
const ANSWERED: Duration = Duration::from_secs(15);

/// Looks after one connection as long as it lives.
pub(super) struct Watchdog {
    task: JoinHandle<()>,
    /// Given back with the watchdog, and not when its task is next looked at.
    socket: Arc<Mutex<Option<Socket>>>,
    verdict: Arc<Mutex<Option<String>>>,
}

impl Watchdog {
    /// Watches the session `backend`; `socket` is its connection's.
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

    /// Why the connection was ended, if it was.
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
    /// Behind a pooler the session may be another one each time.
    pooled: bool,
    running: Arc<Running>,
    /// A session of its own, once it has been needed.
    session: Option<PgConnection>,
}

/// What one look has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Fine,
    /// Nobody answers.
    Silence,
    /// The session is not there any more.
    Gone,
    /// The session has nothing to do, while it is waited for.
    Idle,
}

impl Watched {
    /// Returns why the connection is of no use any more.
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
                // Its session may be the one that is frozen.
                self.session = None;
                self.knock().await
            }
        }
    }

    /// Asks a session of its own what the watched one does.
    async fn ask(&mut self) -> Seen {
        let waited = self.running.waited();
        let mut session = match self.session.take() {
            Some(session) => session,
            None => match connect::login(&self.options, &[], "").await {
                Ok(session) => session,
                // A server that refuses is there; that nobody can be asked says nothing of a
                // connection that is.
                Err(_) => return Seen::Fine,
            },
        };
        let sql = format!(
            "{AS_LOGIN};\nSELECT a.state::text, \
             (date_part('epoch', clock_timestamp() - a.state_change) * 1000)::bigint::text \
             FROM pg_stat_get_activity({}) AS a \
             WHERE {STARTED} = '{}'",
            self.pid, self.started
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

    /// Whether the server answers anybody: a login may wait for locks that a script holds, and what
    /// comes before it does not.
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
            // An error is an answer as well: of a system that is there.
            Ok(_) => Seen::Fine,
            Err(_) => Seen::Silence,
        }
    }
}

/// The request with which a client asks for TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// What it means that the session is in `state` since so long, while its answer was `waited` for.
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
        Seen::Fine | Seen::Silence => "the server has not answered anybody for 20 s",
        Seen::Gone => "the server has ended the session, and the network has not told",
        Seen::Idle => "the server has answered, and the network has lost it",
    }
}

impl Running {
    /// How long what runs has been waited for; `None` when nothing runs.
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
