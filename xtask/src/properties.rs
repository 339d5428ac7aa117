//! The numbered properties of tests/properties.md, and the tests that carry their numbers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::proc::root;

/// proptest's own default.
const DEFAULT_CASES: u32 = 256;

/// A row of the list.
struct Property {
    /// As test names carry it: `a01`.
    id: String,
    name: String,
}

/// Prints the list with the outcome of each property's tests; `tests` are the names that were run.
pub(crate) fn report(tests: &[(String, bool)]) -> Result<()> {
    let list =
        fs::read_to_string(root().join("tests/properties.md")).context("reading tests/properties.md")?;
    let mut cases = BTreeMap::new();
    for dir in ["shared", "functions", "tests"] {
        scan(&root().join(dir), &mut cases)?;
    }
    let properties = parse(&list);
    let mut there = 0;
    println!("\n── properties");
    for Property { id, name } in &properties {
        let carried: Vec<_> = tests.iter().filter(|(test, _)| ids(test).contains(id)).collect();
        there += usize::from(!carried.is_empty());
        if carried.is_empty() {
            println!("  {:<4} {name:<46} not there yet", id.to_uppercase());
        }
        for (test, passed) in carried {
            let cases = cases
                .get(test)
                .copied()
                .flatten()
                .map_or_else(|| "one by one".to_owned(), |n: u32| format!("{n} cases"));
            let outcome = if *passed { "passed" } else { "FAILED" };
            println!("  {:<4} {name:<46} {outcome}  {cases:<12} {test}", id.to_uppercase());
        }
    }
    println!("  {there} of {} are there", properties.len());
    Ok(())
}

fn parse(list: &str) -> Vec<Property> {
    list.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
            let (id, name) = (cells.next()?, cells.next()?);
            let number: u32 = id.get(1..)?.parse().ok()?;
            let id = format!("{}{number:02}", id.get(..1)?.to_lowercase());
            Some(Property { id, name: name.to_owned() })
        })
        .collect()
}

/// The ids at the beginning of a test's name: `a21_b42_transcript` carries two.
fn ids(test: &str) -> Vec<String> {
    test.split('_')
        .take_while(|word| {
            let mut chars = word.chars();
            matches!(chars.next(), Some('a' | 'b')) && word.len() == 3 && chars.all(|c| c.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect()
}

/// Finds the functions that carry an id and, for those inside `proptest!`, how many cases they are given.
fn scan(dir: &Path, found: &mut BTreeMap<String, Option<u32>>) -> Result<()> {
    let entries: Vec<PathBuf> = fs::read_dir(dir)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    for path in entries {
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("node_modules") {
                scan(&path, found)?;
            }
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.extend(cases_in(&fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

fn cases_in(source: &str) -> Vec<(String, Option<u32>)> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices("fn ") {
        let before = source.get(..at).unwrap_or_default();
        let name: String = source
            .get(at + 3..)
            .unwrap_or_default()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if ids(&name).is_empty() {
            continue;
        }
        let block = before.rfind("proptest!").and_then(|start| before.get(start..));
        let inside = block.filter(|block| block.matches('{').count() > block.matches('}').count());
        found.push((name, inside.map(|block| configured(block).unwrap_or(DEFAULT_CASES))));
    }
    found
}

/// `with_cases(N)` or `cases: N`.
fn configured(block: &str) -> Option<u32> {
    let rest = ["with_cases(", "cases: "].into_iter().find_map(|form| block.split_once(form))?.1;
    let digits: String =
        rest.chars().take_while(|c| c.is_ascii_digit() || *c == '_').filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_every_property_once() {
        let list = fs::read_to_string(root().join("tests/properties.md")).unwrap();
        let mut ids: Vec<_> = parse(&list).into_iter().map(|property| property.id).collect();
        assert_eq!(ids.iter().filter(|id| id.starts_with('a')).count(), 28);
        assert_eq!(ids.iter().filter(|id| id.starts_with('b')).count(), 44);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 72);
    }

    #[test]
    fn a_name_may_carry_several_ids_and_most_carry_none() {
        assert_eq!(ids("a21_b42_transcript_is_what_was_said"), ["a21", "b42"]);
        assert!(ids("audio_stops").is_empty());
        assert!(ids("a_call").is_empty());
    }

    #[test]
    fn cases_come_from_the_enclosing_block() {
        let source = "
            fn a01_example() {}
            proptest! {
                #![proptest_config(ProptestConfig::with_cases(1_000))]
                #[test] fn a02_many(x in 0..1) { if x > 0 {} }
            }
            proptest! { #[test] fn b03_default(x in 0..1) {} }
            fn b04_after() {}
        ";
        let found = cases_in(source);
        let expected = [
            ("a01_example", None),
            ("a02_many", Some(1000)),
            ("b03_default", Some(256)),
            ("b04_after", None),
        ];
        assert_eq!(found, expected.map(|(name, cases)| (name.to_owned(), cases)));
    }
}
