//! Keys of partitioned tables.

use super::sides::Sides;
use crate::schema::{Facts, mentions};

/// Whether a partitioned table can be dropped and created again: it has no rows, since it has no
/// partitions, and no sequence that goes with it.
pub(super) fn can_be_rebuilt(sides: &Sides<'_>, table: usize) -> bool {
    let objects = sides.old.objects();
    let is_partitioned = objects
        .table(table)
        .is_some_and(|it| it.partition_by.is_some());
    let name = objects.get(table).id.qualified();
    is_partitioned
        && objects.children(table).is_empty()
        && objects
            .columns(table)
            .iter()
            .all(|(_, column, _)| objects.sequence(&name, &column.id.name).is_none())
}

/// The partitioned table that must be rebuilt, since a column of its key gets another type.
pub(super) fn rebuilt_for(sides: &Sides<'_>, column: usize) -> Option<usize> {
    const OF_TYPE: [&str; 2] = ["data_type", "collation"];
    let object = sides.old.get(column);
    let is_retyped = OF_TYPE
        .iter()
        .any(|it| sides.changed[column].contains_key(*it));
    if !is_retyped || !matches!(object.facts, Facts::Column(_)) {
        return None;
    }
    let objects = sides.old.objects();
    let table = objects.whole(column)?;
    let key = objects.table(table)?.partition_by.as_ref()?;
    let is_rebuilt = mentions(key, &object.id.name) && can_be_rebuilt(sides, table);
    is_rebuilt.then_some(table)
}
