use super::ObjectId;

/// Objects that depend on each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these objects depend on each other: {}", shown(.0))]
pub struct Cycle(
    /// The objects, each depending on the next, and the last on the first.
    pub Vec<ObjectId>,
);

fn shown(objects: &[ObjectId]) -> String {
    let shown: Vec<String> = objects.iter().map(ToString::to_string).collect();
    shown.join(" → ")
}
