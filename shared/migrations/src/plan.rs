use crate::{Migration, Refusal};

/// A migration that a database says it has been given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// As [`Migration::name`].
    pub name: String,
    /// As [`Migration::checksum`]; empty when whoever applied it kept none.
    pub checksum: String,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It is applied.
    Up,
    /// It is undone.
    Down,
}

/// One migration to be applied or undone, all or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<'a> {
    /// Which way.
    pub direction: Direction,
    /// Which one.
    pub migration: &'a Migration,
    statements: &'a str,
}

/// The way from what a database has been given to migration `to`, or to the last one. Empty when it is there.
///
/// Refuses a database that is not a beginning of this tree: with a gap, with a migration that was changed since, or with one
/// that this tree does not have. `to` is a number, and 0 the empty database; an engine's own migrations go with their number.
pub fn plan<'a>(
    migrations: &'a [Migration],
    applied: &[Applied],
    to: Option<u32>,
) -> Result<Vec<Step<'a>>, Refusal> {
    let done = beginning(migrations, applied)?;
    let last = migrations.last().map_or(0, |migration| migration.number);
    let to = to.unwrap_or(last);
    if to > last {
        return Err(Refusal::NoSuch(to));
    }
    let (behind, ahead) = migrations.split_at(done.min(migrations.len()));
    let back = behind.iter().rev().take_while(|migration| migration.number > to).map(|migration| {
        let statements =
            migration.down.as_deref().ok_or_else(|| Refusal::NoWayBack(migration.name.clone()))?;
        Ok(Step { direction: Direction::Down, migration, statements })
    });
    let on = ahead
        .iter()
        .take_while(|migration| migration.number <= to)
        .map(|migration| Ok(Step { direction: Direction::Up, migration, statements: &migration.up }));
    back.chain(on).collect()
}

/// How many of the migrations have been applied, when those are the first ones as they are in the tree.
fn beginning(migrations: &[Migration], applied: &[Applied]) -> Result<usize, Refusal> {
    let in_database = |migration: &&Migration| applied.iter().find(|one| one.name == migration.name);
    if let Some(stranger) =
        applied.iter().find(|one| !migrations.iter().any(|migration| migration.name == one.name))
    {
        return Err(Refusal::Unknown(stranger.name.clone()));
    }
    for migration in migrations {
        if let Some(one) = in_database(&migration)
            && !one.checksum.is_empty()
            && one.checksum != migration.checksum()
        {
            return Err(Refusal::Changed(migration.name.clone()));
        }
    }
    let done = migrations.iter().take_while(|migration| in_database(migration).is_some()).count();
    let mut rest = migrations.iter().skip(done);
    match (rest.next(), rest.find(|migration| in_database(migration).is_some())) {
        (Some(missing), Some(after)) => {
            Err(Refusal::Gap { missing: missing.name.clone(), after: after.name.clone() })
        }
        _ => Ok(done),
    }
}

impl Step<'_> {
    /// The statements with the one that records them, for one transaction. Of two runners at once, the second fails at the
    /// record's key and changes nothing.
    pub fn script(&self, now_ms: u64) -> String {
        let (name, statements) = (&self.migration.name, self.statements.trim_end());
        let record = match self.direction {
            Direction::Up => format!(
                "insert into schema_migrations (name, checksum, applied_at) values ('{name}', '{}', {now_ms});",
                self.migration.checksum()
            ),
            Direction::Down => format!("delete from schema_migrations where name = '{name}';"),
        };
        format!("{statements}\n{record}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three migrations, the second with a companion; there is no way back from the third.
    fn tree() -> Vec<Migration> {
        [(1, "0001_a", true), (2, "0002_b", true), (2, "postgres/0002_own", true), (3, "0003_c", false)]
            .map(|(number, name, back)| Migration {
                number,
                name: name.to_owned(),
                up: format!("create table t_{number} (a text);"),
                down: back.then(|| format!("drop table t_{number};")),
            })
            .into()
    }

    fn applied(tree: &[Migration]) -> Vec<Applied> {
        tree.iter().map(|m| Applied { name: m.name.clone(), checksum: m.checksum() }).collect()
    }

    fn way(tree: &[Migration], done: usize, to: Option<u32>) -> Result<Vec<(Direction, String)>, Refusal> {
        let steps = plan(tree, &applied(&tree[..done]), to)?;
        Ok(steps.into_iter().map(|step| (step.direction, step.migration.name.clone())).collect())
    }

    #[test]
    fn what_is_missing_is_applied_in_order_and_once() {
        let tree = tree();
        for done in 0..=4 {
            let names: Vec<_> = tree[done..].iter().map(|m| (Direction::Up, m.name.clone())).collect();
            assert_eq!(way(&tree, done, None).unwrap(), names);
        }
        assert_eq!(way(&tree, 0, Some(1)).unwrap().len(), 1);
        assert_eq!(way(&tree, 0, Some(2)).unwrap().len(), 3);
        assert_eq!(way(&tree, 0, Some(4)), Err(Refusal::NoSuch(4)));
        assert!(way(&tree, 2, Some(2)).unwrap() == [(Direction::Up, "postgres/0002_own".to_owned())]);
    }

    #[test]
    fn the_way_back_is_the_way_in_reverse() {
        let tree = tree();
        let down = |name: &str| (Direction::Down, name.to_owned());
        assert_eq!(
            way(&tree, 3, Some(0)).unwrap(),
            [down("postgres/0002_own"), down("0002_b"), down("0001_a")]
        );
        assert_eq!(way(&tree, 3, Some(2)).unwrap(), []);
        assert_eq!(way(&tree, 4, Some(2)), Err(Refusal::NoWayBack("0003_c".to_owned())));
    }

    #[test]
    fn a_database_that_is_not_a_beginning_of_the_tree_is_left_alone() {
        let tree = tree();
        let mut gap = applied(&tree);
        gap.remove(1);
        let refused = |applied: &[Applied]| plan(&tree, applied, None).unwrap_err();
        assert_eq!(
            refused(&gap),
            Refusal::Gap { missing: "0002_b".to_owned(), after: "postgres/0002_own".to_owned() }
        );
        let mut changed = applied(&tree);
        changed[0].checksum = "0".repeat(64);
        assert_eq!(refused(&changed), Refusal::Changed("0001_a".to_owned()));
        changed[0].checksum.clear();
        assert_eq!(plan(&tree, &changed, None).unwrap(), []);
        let stranger = [Applied { name: "0009_z".to_owned(), checksum: String::new() }];
        assert_eq!(refused(&stranger), Refusal::Unknown("0009_z".to_owned()));
    }

    #[test]
    fn a_script_records_what_it_does() {
        let tree = tree();
        let up = plan(&tree, &[], Some(1)).unwrap()[0].script(7);
        assert!(up.starts_with("create table t_1 (a text);\ninsert into schema_migrations"));
        assert!(up.contains(&format!("('0001_a', '{}', 7)", tree[0].checksum())));
        let down = plan(&tree, &applied(&tree[..1]), Some(0)).unwrap()[0].script(7);
        assert_eq!(down, "drop table t_1;\ndelete from schema_migrations where name = '0001_a';\n");
    }
}
