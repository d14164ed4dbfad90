use std::time::Duration;

/// Where moments are on a line of statements, in percent of its width.
///
/// Each statement has a least width, so that a short one can be seen beside a long one; the rest of the line
/// is divided by time.
pub(super) struct Scale {
    /// The ends of the statements: the time, and the place. The first one is the beginning.
    ends: Vec<(Duration, f64)>,
}

/// The least width of a statement in percent.
const LEAST: f64 = 0.8;

/// The part of the line, in percent, that goes to least widths at most.
const SHARED: f64 = 45.0;

impl Scale {
    /// The scale of statements with these times, one after the other. Without times all are as wide.
    pub fn new(times: &[Duration], has_times: bool) -> Self {
        let total: Duration = times.iter().sum();
        let number = times.len().max(1) as f64;
        let least = match has_times && !total.is_zero() {
            true => LEAST.min(SHARED / number),
            false => 100.0 / number,
        };
        let rest = 100.0 - least * number;
        let (mut now, mut place) = (Duration::ZERO, 0.0);
        let mut ends = vec![(now, place)];
        for time in times {
            now += *time;
            place += least;
            if !total.is_zero() {
                place += rest * (time.as_secs_f64() / total.as_secs_f64());
            }
            ends.push((now, place));
        }
        Self { ends }
    }

    /// Where the statement with this index begins.
    pub fn begin(&self, statement: usize) -> f64 {
        self.ends.get(statement).map_or(100.0, |(_, place)| *place)
    }

    /// Where the last statement ends that has ended at `time`.
    pub fn end(&self, time: Duration) -> f64 {
        let after = self.ends.partition_point(|(end, _)| *end <= time);
        self.ends[after.saturating_sub(1)].1
    }

    /// Where a moment is.
    pub fn at(&self, time: Duration) -> f64 {
        let after = self.ends.partition_point(|(end, _)| *end <= time);
        let (Some((from, left)), Some((until, right))) =
            (self.ends.get(after.saturating_sub(1)), self.ends.get(after))
        else {
            return 100.0;
        };
        let share = (time - *from).as_secs_f64() / (*until - *from).as_secs_f64();
        left + (right - left) * share
    }

    /// Moments for marks at round times, each with its place and far enough from the one before.
    pub fn marks(&self) -> Vec<(Duration, f64)> {
        let total = self.ends.last().map_or(Duration::ZERO, |(end, _)| *end);
        let step = round(total.as_secs_f64() / 6.0);
        if step <= 0.0 {
            return Vec::new();
        }
        let mut marks = vec![(Duration::ZERO, 0.0)];
        for number in 1..20 {
            let time = Duration::from_secs_f64(step * f64::from(number));
            if time > total {
                break;
            }
            let place = self.at(time);
            let last = marks.last().map_or(0.0, |(_, place)| *place);
            if place - last >= 8.0 && place <= 96.0 {
                marks.push((time, place));
            }
        }
        marks
    }
}

/// The next larger of 1, 2, 5, 10, 20, 50 …
fn round(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let unit = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let fitting = steps.iter().find(|step| **step * unit >= value * 0.999);
    fitting.unwrap_or(&10.0) * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn short_statements_are_visible_beside_a_long_one() {
        let mut times = vec![ms(1); 60];
        times[30] = ms(400_000);
        let scale = Scale::new(&times, true);
        for at in 0..60 {
            assert!(scale.begin(at + 1) - scale.begin(at) > 0.7);
        }
        assert!(scale.begin(31) - scale.begin(30) > 50.0);
        assert!((scale.begin(60) - 100.0).abs() < 1e-6);
    }

    #[test]
    fn statements_without_times_are_as_wide() {
        for has_times in [false, true] {
            let times = [ms(0), ms(0), ms(0), ms(0)];
            assert_eq!(Scale::new(&times, has_times).begin(1), 25.0);
        }
        let scale = Scale::new(&[ms(1), ms(3)], false);
        assert_eq!((scale.begin(1), scale.end(ms(4))), (50.0, 100.0));
        assert_eq!(Scale::new(&[], true).marks(), []);
    }

    #[test]
    fn marks_are_at_round_times() {
        let scale = Scale::new(&[ms(300), ms(700)], true);
        let marks: Vec<u128> = scale.marks().iter().map(|it| it.0.as_millis()).collect();
        assert_eq!(marks, [0, 200, 400, 600, 800]);
        assert!(scale.marks().is_sorted_by(|a, b| a.1 < b.1));
        assert_eq!(round(0.16), 0.2);
        assert_eq!(round(7.0), 10.0);
    }
}
