use std::collections::BTreeSet;

/// A set of what is given, put in one after the other. `collect` and `BTreeSet::from` sort everything first, which brings four kilobytes of sorting into
/// a script for each type that is collected, and a script has a budget (functions/README.md, "Size").
pub fn set_of<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    set.extend(items);
    set
}
