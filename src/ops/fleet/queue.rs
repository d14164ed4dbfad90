//! Work that waits for its turn: so many at once, so many on one server, and none on a server that
//! refuses connections.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The first pause after a server has refused a connection, which doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often a wait looks whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// Items that wait, are started by [`Self::next`], and end by one of the other functions.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// The most items on one server.
    per_server: usize,
    /// How long a server may refuse connections.
    patience: Duration,
}

#[derive(Default)]
struct State {
    /// The items without a server first.
    servers: Vec<Server>,
    indices: HashMap<Option<String>, usize>,
    /// Items that are tried again later.
    delayed: Vec<(Instant, Item)>,
}

#[derive(Default)]
struct Server {
    has_limit: bool,
    waiting: VecDeque<usize>,
    running: usize,
    /// Until when nothing is started.
    paused: Option<Instant>,
    pause: Duration,
    refused_since: Option<Instant>,
}

/// An item that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub index: usize,
    server: usize,
}

impl Queue {
    pub fn new(per_server: usize, patience: Duration) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            per_server,
            patience,
        }
    }

    /// Adds an item at the end.
    pub fn add(&self, index: usize, server: Option<String>) {
        let mut state = self.lock();
        let has_limit = server.is_some();
        let at = match state.indices.get(&server) {
            Some(at) => *at,
            None => {
                let at = state.servers.len();
                state.indices.insert(server, at);
                state.servers.push(Server {
                    has_limit,
                    pause: FIRST_PAUSE,
                    ..Server::default()
                });
                at
            }
        };
        state.servers[at].waiting.push_back(index);
    }

    /// Starts an item, if there is one and `may_start` holds. Waits until its server is ready.
    pub fn next(&self, may_start: &dyn Fn() -> bool) -> Option<Item> {
        let mut state = self.lock();
        loop {
            if !may_start() {
                return None;
            }
            let now = Instant::now();
            state.wake(now);
            if let Some(item) = state.start(now, self.per_server) {
                return Some(item);
            }
            let is_empty = state.servers.iter().all(|server| server.waiting.is_empty());
            if is_empty && state.delayed.is_empty() {
                return None;
            }
            let waited = self.changed.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends an item whose server has answered, and starts the next one of that server in its place, if it
    /// `fits`. Otherwise the item is not ended.
    pub fn pass(
        &self,
        item: Item,
        may_start: &dyn Fn() -> bool,
        fits: &dyn Fn(usize) -> bool,
    ) -> Option<Item> {
        let mut state = self.lock();
        if !may_start() {
            return None;
        }
        let server = &mut state.servers[item.server];
        let index = *server.waiting.front().filter(|index| fits(**index))?;
        server.waiting.pop_front();
        server.refused_since = None;
        server.pause = FIRST_PAUSE;
        Some(Item { index, ..item })
    }

    /// Ends an item whose server has answered.
    pub fn finish(&self, item: Item) {
        let mut state = self.lock();
        let server = &mut state.servers[item.server];
        server.running -= 1;
        server.refused_since = None;
        server.pause = FIRST_PAUSE;
        self.changed.notify_all();
    }

    /// Ends an item whose server has refused the connection. Returns whether it will be started again.
    pub fn refuse(&self, item: Item) -> bool {
        let mut state = self.lock();
        let now = Instant::now();
        let server = &mut state.servers[item.server];
        server.running -= 1;
        let since = *server.refused_since.get_or_insert(now);
        let is_patient = now.duration_since(since) < self.patience;
        if is_patient {
            server.waiting.push_front(item.index);
            // Several items may have been refused at once.
            if server.paused.is_none_or(|until| until <= now) {
                server.paused = Some(now + server.pause);
                server.pause = (server.pause * 2).min(LONGEST_PAUSE);
            }
        }
        self.changed.notify_all();
        is_patient
    }

    /// Ends an item, which is started again after `pause`.
    pub fn delay(&self, item: Item, pause: Duration) {
        let mut state = self.lock();
        state.servers[item.server].running -= 1;
        state.delayed.push((Instant::now() + pause, item));
        self.changed.notify_all();
    }

    /// Removes all items that were not started, in order.
    pub fn drain(&self) -> Vec<usize> {
        let mut state = self.lock();
        let mut rest: Vec<usize> = state
            .delayed
            .drain(..)
            .map(|(_, item)| item.index)
            .collect();
        for server in &mut state.servers {
            rest.extend(server.waiting.drain(..));
        }
        rest.sort_unstable();
        rest
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Lets items wait whose delay is over.
    fn wake(&mut self, now: Instant) {
        let servers = &mut self.servers;
        self.delayed.retain(|(until, item)| {
            if *until <= now {
                servers[item.server].waiting.push_back(item.index);
            }
            *until > now
        });
    }

    fn start(&mut self, now: Instant, per_server: usize) -> Option<Item> {
        let is_ready = |server: &Server| {
            let has_room = !server.has_limit || server.running < per_server;
            has_room && !server.waiting.is_empty() && server.paused.is_none_or(|until| until <= now)
        };
        // The one with the fewest, so that all servers work.
        let ready = self
            .servers
            .iter()
            .enumerate()
            .filter(|(_, server)| is_ready(server));
        let (at, _) = ready.min_by_key(|(_, server)| server.running)?;
        let server = &mut self.servers[at];
        let index = server.waiting.pop_front()?;
        server.running += 1;
        Some(Item { index, server: at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(patience: Duration, items: &[(usize, Option<&str>)]) -> Queue {
        let queue = Queue::new(2, patience);
        for (index, server) in items {
            queue.add(*index, server.map(str::to_owned));
        }
        queue
    }

    /// What can be started now.
    fn ready(queue: &Queue) -> Vec<usize> {
        let mut state = queue.lock();
        let mut started = Vec::new();
        while let Some(item) = state.start(Instant::now(), queue.per_server) {
            started.push(item.index);
        }
        started.sort_unstable();
        started
    }

    #[test]
    fn a_server_has_no_more_than_its_limit() {
        let items = [
            (0, Some("a")),
            (1, Some("a")),
            (2, Some("a")),
            (3, Some("b")),
            (4, None),
            (5, None),
            (6, None),
        ];
        let waiting = queue(Duration::ZERO, &items);
        assert_eq!(ready(&waiting), [0, 1, 3, 4, 5, 6]);
        assert_eq!(waiting.drain(), [2]);
    }

    #[test]
    fn an_item_that_ends_makes_room() {
        let waiting = queue(
            Duration::ZERO,
            &[(0, Some("a")), (1, Some("a")), (2, Some("a"))],
        );
        let first = waiting.next(&|| true).unwrap();
        waiting.next(&|| true).unwrap();
        assert!(ready(&waiting).is_empty());
        waiting.finish(first);
        assert_eq!(ready(&waiting), [2]);
    }

    #[test]
    fn an_item_passes_its_place_on() {
        let items = [
            (0, Some("a")),
            (1, Some("a")),
            (2, Some("a")),
            (3, Some("b")),
        ];
        let waiting = queue(Duration::ZERO, &items);
        let first = waiting.next(&|| true).unwrap();
        assert_eq!(waiting.pass(first, &|| false, &|_| true), None);
        assert_eq!(waiting.pass(first, &|| true, &|index| index != 1), None);
        let second = waiting.pass(first, &|| true, &|_| true).unwrap();
        assert_eq!(second.index, 1);
        // One place of the server is taken, as before.
        assert_eq!(ready(&waiting), [2, 3]);
        assert_eq!(waiting.pass(second, &|| true, &|_| true), None);
        waiting.finish(second);
    }

    #[test]
    fn a_server_that_refuses_is_waited_for() {
        let waiting = queue(Duration::from_secs(3600), &[(0, Some("a")), (1, Some("b"))]);
        let first = waiting.next(&|| true).unwrap();
        assert_eq!(first.index, 0);
        assert!(waiting.refuse(first));
        // It comes again, but not at once; the other server goes on.
        assert_eq!(ready(&waiting), [1]);
        let again = waiting.next(&|| true).unwrap();
        assert_eq!(again.index, 0);
        waiting.finish(again);
    }

    #[test]
    fn patience_with_a_server_ends() {
        let waiting = queue(Duration::ZERO, &[(0, Some("a")), (1, Some("a"))]);
        let first = waiting.next(&|| true).unwrap();
        assert!(!waiting.refuse(first));
        assert_eq!(ready(&waiting), [1]);
    }

    #[test]
    fn delayed_items_come_again_or_are_left() {
        let waiting = queue(Duration::ZERO, &[(7, None)]);
        let first = waiting.next(&|| true).unwrap();
        waiting.delay(first, Duration::from_millis(1));
        assert_eq!(waiting.next(&|| true).map(|it| it.index), Some(7));
        waiting.delay(first, Duration::from_secs(3600));
        assert_eq!(waiting.next(&|| false), None);
        assert_eq!(waiting.drain(), [7]);
        assert_eq!(waiting.next(&|| true), None);
    }
}
