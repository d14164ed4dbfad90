use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Options as `name=value`. They keep the order in which they were set, which makes no difference.
#[derive(Clone, Debug, Default)]
pub struct Options(Vec<(String, String)>);

impl Options {
    /// No options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of an option.
    pub fn get(&self, name: &str) -> Option<&String> {
        let mut options = self.0.iter();
        options.find_map(|(it, value)| (it == name).then_some(value))
    }

    /// Whether an option is set.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets an option.
    pub fn insert(&mut self, name: String, value: String) {
        match self.0.iter_mut().find(|(it, _)| *it == name) {
            Some((_, of_name)) => *of_name = value,
            None => self.0.push((name, value)),
        }
    }

    /// Takes an option away, and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(it, _)| it == name)?;
        Some(self.0.remove(at).1)
    }

    /// The names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// The names.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|(name, _)| name)
    }

    /// Puts them in the order of their names.
    pub fn sort(&mut self) {
        self.0.sort_unstable();
    }

    /// The names and values, by name.
    fn sorted(&self) -> Vec<(&String, &String)> {
        let mut sorted: Vec<_> = self.iter().collect();
        sorted.sort_unstable();
        sorted
    }
}

impl PartialEq for Options {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.sorted() == other.sorted()
    }
}

impl Eq for Options {}

impl FromIterator<(String, String)> for Options {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(options: I) -> Self {
        let mut all = Self::new();
        all.extend(options);
        all
    }
}

impl Extend<(String, String)> for Options {
    fn extend<I: IntoIterator<Item = (String, String)>>(&mut self, options: I) {
        for (name, value) in options {
            self.insert(name, value);
        }
    }
}

impl<const N: usize> From<[(String, String); N]> for Options {
    fn from(options: [(String, String); N]) -> Self {
        options.into_iter().collect()
    }
}

impl IntoIterator for Options {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Serialize for Options {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.sorted())
    }
}

impl<'de> Deserialize<'de> for Options {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let options = std::collections::BTreeMap::deserialize(deserializer)?;
        Ok(options.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_kept_and_makes_no_difference() {
        let options = |names: [&str; 2]| -> Options {
            let options = names
                .iter()
                .map(|name| ((*name).to_owned(), "1".to_owned()));
            options.collect()
        };
        let (first, second) = (options(["b", "a"]), options(["a", "b"]));
        assert_eq!(first, second);
        assert!(first.keys().eq(["b", "a"]));
        assert_ne!(first, options(["a", "c"]));
    }
}
