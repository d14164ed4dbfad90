//! What to measure.

/// Revisions that are measured unless told otherwise.
const SIZES: [usize; 4] = [10, 100, 1_000, 5_000];

/// The arguments.
pub struct Options {
    /// How many revisions.
    pub sizes: Vec<usize>,
    rounds: Option<usize>,
    /// Whether what has a limit of its own is measured, too.
    pub limits: bool,
}

impl Options {
    /// Of the command's arguments; `--bench`, which cargo adds, means nothing.
    pub fn read(arguments: &[String]) -> Self {
        let value = |name: &str| {
            let at = arguments.iter().position(|argument| argument == name)?;
            Some(arguments.get(at + 1).expect("a value").as_str())
        };
        let number = |text: &str| text.trim().parse().expect("a number");
        Self {
            sizes: match value("--sizes") {
                Some(list) => list.split(',').map(number).collect(),
                None => SIZES.to_vec(),
            },
            rounds: value("--rounds").map(number),
            limits: !arguments.iter().any(|argument| argument == "--no-limits"),
        }
    }

    /// How often each measurement is taken: less often where one takes long.
    pub fn rounds(&self, size: usize) -> usize {
        self.rounds.unwrap_or(match size {
            0..=200 => 7,
            201..=2_000 => 9,
            _ => 3,
        })
    }

    /// Whether the page is to be written.
    pub fn is_whole(&self) -> bool {
        self.sizes == SIZES && self.limits
    }
}
