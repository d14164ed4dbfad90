use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How migrator compresses a file that it writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", rename_all = "lowercase")]
pub enum Compression {
    /// With zstd.
    #[default]
    Zstd,
    /// Not at all: it stays as the database's own tools take it.
    None,
}

impl Compression {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Zstd, Self::None];

    /// Its name in configurations, arguments and manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::None => "none",
        }
    }
}

/// A compression that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a known compression")]
pub struct UnknownCompression(String);

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(text: &str) -> Result<Self, UnknownCompression> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|compression| compression.name() == text);
        found.ok_or_else(|| UnknownCompression(text.to_owned()))
    }
}

impl TryFrom<String> for Compression {
    type Error = UnknownCompression;

    fn try_from(text: String) -> Result<Self, UnknownCompression> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for compression in Compression::ALL {
            assert_eq!(compression.name().parse(), Ok(compression));
            let json = serde_json::to_string(&compression).unwrap();
            assert_eq!(json, format!("\"{}\"", compression.name()));
            assert_eq!(
                serde_json::from_str::<Compression>(&json).unwrap(),
                compression
            );
        }
        let unknown = serde_json::from_str::<Compression>("\"lzma\"").unwrap_err();
        assert!(
            unknown
                .to_string()
                .starts_with("`lzma` is not a known compression")
        );
    }
}
