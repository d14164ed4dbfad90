//! Choices of random tests.

use proptest::{prelude::*, test_runner::TestRunner};

/// Makes choices from random numbers, and the first one when they have run out.
pub struct Choices<'a> {
    pub numbers: &'a [u32],
    pub at: usize,
}

impl Choices<'_> {
    pub fn below(&mut self, count: usize) -> usize {
        let number = self.numbers.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        number as usize % count.max(1)
    }

    /// True once in `times`.
    pub fn rarely(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    /// Up to `most` of `all`, from any place on.
    pub fn some<T: Copy>(&mut self, all: &[T], most: usize) -> Vec<T> {
        let (count, first) = (1 + self.below(most), self.below(all.len()));
        (0..count).map(|at| all[(first + at) % all.len()]).collect()
    }

    /// Removes one, if there is any.
    pub fn remove_from<T>(&mut self, all: &mut Vec<T>) {
        if !all.is_empty() {
            all.remove(self.below(all.len()));
        }
    }
}

/// How many cases `MIGRATOR_TEST_PAIRS` asks for.
pub fn long_run() -> Option<u32> {
    let count = std::env::var("MIGRATOR_TEST_PAIRS").ok();
    count.map(|count| count.parse().unwrap())
}

/// Runs `test` with random choices, `cases` times. A failure is tried with up to `shrinks` simpler choices.
pub fn with_choices(
    cases: u32,
    shrinks: u32,
    test: impl Fn(&mut Choices<'_>) -> Result<(), String>,
) {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: shrinks,
        ..ProptestConfig::default()
    };
    let numbers = prop::collection::vec(any::<u32>(), 0..200);
    let result = TestRunner::new(config).run(&numbers, |numbers| {
        let mut choices = Choices {
            numbers: &numbers,
            at: 0,
        };
        test(&mut choices).map_err(TestCaseError::fail)
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// `name` in double quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
