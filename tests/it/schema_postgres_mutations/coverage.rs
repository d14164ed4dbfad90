//! Every attribute of every kind has a mutation, or a reason why it has none.
