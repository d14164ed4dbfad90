//! Choices of random tests.

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
}
