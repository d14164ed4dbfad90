//! The pace of batches.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::{database::Replication, revision::Pace};

/// The pause after a batch of `rows` that took `elapsed`, so that `pause` and `max-rows-per-second`
/// are respected.
pub(super) fn wait(pace: &Pace, rows: u64, elapsed: Duration) -> Duration {
    let due = pace.max_rows_per_second.map_or(Duration::ZERO, |limit| {
        let seconds = rows as f64 / limit as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    });
    pace.pause.max(due.saturating_sub(elapsed))
}

/// The lag of the slowest replica, as a duration.
///
/// The server measures it when a replica responds. A replica that has stopped replaying keeps its
/// last measurement, so the age of the WAL that it has replayed is considered as well.
#[derive(Debug, Default)]
pub(super) struct LagGauge {
    /// The times at which the server was seen to have written WAL that was not replayed then.
    unseen: VecDeque<(Instant, u64)>,
}

impl LagGauge {
    /// The lag, from the state of replication at `now`.
    pub fn lag(&mut self, now: Instant, found: &Replication) -> Duration {
        let Some(replayed) = found.replayed else {
            self.unseen.clear();
            return Duration::ZERO;
        };
        while self.unseen.front().is_some_and(|(_, at)| *at <= replayed) {
            self.unseen.pop_front();
        }
        if replayed >= found.written {
            return Duration::ZERO;
        }
        let last = self.unseen.back().map_or(replayed, |(_, at)| *at);
        if found.written > last {
            self.unseen.push_back((now, found.written));
        }
        let seen = self.unseen.front().map_or(Duration::ZERO, |(when, _)| {
            now.saturating_duration_since(*when)
        });
        seen.max(found.lag)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_longer_wait_counts() {
        let check = |pause, limit, rows, elapsed, expected| {
            let pace = Pace {
                pause: seconds(pause),
                max_rows_per_second: limit,
                ..Pace::default()
            };
            let found = wait(&pace, rows, seconds(elapsed));
            assert_eq!(found, seconds(expected), "{pace:?} {rows} {elapsed}");
        };
        check(0, None, 1000, 5, 0);
        check(2, None, 1000, 5, 2);
        check(0, Some(100), 1000, 4, 6);
        check(0, Some(100), 1000, 10, 0);
        check(0, Some(100), 1000, 11, 0);
        check(7, Some(100), 1000, 4, 7);
        check(0, Some(u64::MAX), u64::MAX, 0, 1);
    }

    proptest! {
        /// With its pause, a batch is never faster than allowed, except for rounding.
        #[test]
        fn the_rate_is_kept(rows in 0u64..1 << 40, limit in 1u64..1 << 40, millis in 0u64..1 << 30) {
            let pace = Pace { max_rows_per_second: Some(limit), ..Pace::default() };
            let elapsed = Duration::from_millis(millis);
            let all = elapsed + wait(&pace, rows, elapsed);
            prop_assert!(rows as f64 / limit as f64 <= all.as_secs_f64() * 1.000_001 + 1e-6);
        }
    }

    #[test]
    fn a_replica_that_stands_still_falls_behind() {
        let start = Instant::now();
        let mut gauge = LagGauge::default();
        let mut check = |at, written, replayed, measured, expected| {
            let found = Replication {
                hidden: 0,
                lag: seconds(measured),
                written,
                replayed,
            };
            let lag = gauge.lag(start + seconds(at), &found);
            assert_eq!(lag, seconds(expected), "at {at}");
        };
        check(0, 100, None, 0, 0);
        check(1, 100, Some(100), 3, 0);
        check(2, 200, Some(100), 0, 0);
        // The server's own measurement does not change.
        check(5, 300, Some(100), 0, 3);
        check(6, 300, Some(199), 0, 4);
        // The WAL written at 2 is replayed, the WAL written at 5 is not.
        check(8, 400, Some(200), 0, 3);
        check(9, 400, Some(399), 7, 7);
        check(10, 400, Some(400), 7, 0);
        check(11, 500, Some(400), 0, 0);
        check(60, 500, None, 0, 0);
    }
}
