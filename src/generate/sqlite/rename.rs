use crate::{
    generate::rename::table_of,
    schema::{Kind, ObjectId, sqlite::quoted},
};

/// The statements that rename an object; `None` if SQLite has none for its kind.
pub fn rename(from: &ObjectId, to: &ObjectId) -> Option<Vec<String>> {
    let (old, new) = (quoted(&from.name), quoted(&to.name));
    match from.kind {
        Kind::Table | Kind::VirtualTable => {
            Some(vec![format!("ALTER TABLE {old} RENAME TO {new}")])
        }
        Kind::Column => {
            let table = table_of(from).name;
            let table = quoted(&table);
            Some(vec![format!(
                "ALTER TABLE {table} RENAME COLUMN {old} TO {new}"
            )])
        }
        _ => None,
    }
}
