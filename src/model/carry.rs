use crate::schema::{Facts, Kind, Object, postgres};

/// Copies the attributes that no ORM can declare from the object of the head, where the declared one
/// has the default. `comments` are the kinds of objects whose comments can be declared.
pub(super) fn carry(head: &Object, declared: &mut Object, comments: &[Kind]) {
    fill(&mut declared.owner, &head.owner);
    fill(&mut declared.grants, &head.grants);
    if !comments.contains(&head.id.kind) {
        fill(&mut declared.comment, &head.comment);
    }
    match (&head.facts, &mut declared.facts) {
        (Facts::Table(head), Facts::Table(declared)) => table(head, declared),
        (Facts::Column(head), Facts::Column(declared)) => column(head, declared),
        (Facts::Key(head), Facts::Key(declared)) => {
            fill(&mut declared.options, &head.options);
            fill(&mut declared.tablespace, &head.tablespace);
            fill(&mut declared.is_clustered, &head.is_clustered);
            fill(&mut declared.index_comment, &head.index_comment);
        }
        (Facts::Index(head), Facts::Index(declared)) => {
            fill(&mut declared.options, &head.options);
            fill(&mut declared.tablespace, &head.tablespace);
            fill(&mut declared.is_clustered, &head.is_clustered);
        }
        (Facts::Check(head), Facts::Check(declared)) => {
            fill(&mut declared.not_valid, &head.not_valid);
        }
        (Facts::ForeignKey(head), Facts::ForeignKey(declared)) => {
            fill(&mut declared.not_valid, &head.not_valid);
        }
        _ => {}
    }
}

fn table(head: &postgres::Table, declared: &mut postgres::Table) {
    fill(&mut declared.unlogged, &head.unlogged);
    fill(&mut declared.access_method, &head.access_method);
    fill(&mut declared.partition_by, &head.partition_by);
    fill(&mut declared.tablespace, &head.tablespace);
    fill(&mut declared.options, &head.options);
    fill(&mut declared.replica_identity, &head.replica_identity);
    fill(&mut declared.row_security, &head.row_security);
    fill(&mut declared.force_row_security, &head.force_row_security);
}

fn column(head: &postgres::Column, declared: &mut postgres::Column) {
    fill(&mut declared.statistics, &head.statistics);
    fill(&mut declared.options, &head.options);
    // They belong to the type.
    if declared.data_type == head.data_type {
        fill(&mut declared.storage, &head.storage);
        fill(&mut declared.compression, &head.compression);
    }
    if let (Some(head), Some(declared)) = (&head.identity, &mut declared.identity) {
        fill(&mut declared.grants, &head.grants);
        fill(&mut declared.comment, &head.comment);
        fill(&mut declared.unlogged, &head.unlogged);
    }
    if let (Some(head), Some(declared)) = (&head.not_null, &mut declared.not_null) {
        fill(&mut declared.name, &head.name);
        fill(&mut declared.not_valid, &head.not_valid);
        fill(&mut declared.comment, &head.comment);
    }
}

/// Copies a value over a default one.
fn fill<T: Clone + Default + PartialEq>(declared: &mut T, head: &T) {
    if *declared == T::default() {
        declared.clone_from(head);
    }
}
