use serde::{Deserialize, Serialize};

/// A phase of a change that is deployed while programs of before and after it run side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before the new program: what the old one can live with.
    Expand,
    /// After the old program is gone.
    Contract,
}

impl Phase {
    /// The name in headers and display.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::Contract => "contract",
        }
    }

    /// The phase with this name.
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = [Self::Expand, Self::Contract].into_iter();
        all.find(|phase| phase.name() == name)
    }
}
