//! `tests/dmraid-differences.md`: where dmraid is known to be wrong.

use raid_tests::recipes::Recipe;

/// Something that differs.
#[derive(Debug)]
pub(crate) struct Difference {
    /// Format, level, number of disks and the like, in words.
    pub(crate) recipe: String,
    /// A word of the table.
    pub(crate) what: &'static str,
    /// The whole story.
    #[allow(dead_code, reason = "it is shown")]
    pub(crate) message: String,
}

/// A row of the table. Further columns say what dmraid prints and why it is wrong.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    format: String,
    /// Words of the recipe.
    kind: String,
    what: String,
    /// It depends on the order in which the disks are found.
    sometimes: bool,
}

impl Row {
    fn parse(line: &str) -> Option<Self> {
        let mut cells = line.strip_prefix('|')?.split('|').map(|cell| cell.trim().to_owned());
        let (format, kind, what) = (cells.next()?, cells.next()?, cells.next()?);
        let always = what.strip_suffix(" sometimes").map(str::to_owned);
        Some(Self { format, kind, sometimes: always.is_some(), what: always.unwrap_or(what) })
    }

    fn is_of(&self, recipe: &str) -> bool {
        let words: Vec<&str> = recipe.split(' ').collect();
        let is_kind = self.kind == "all" || self.kind.split(' ').all(|word| words.contains(&word));
        words.first() == Some(&self.format.as_str()) && is_kind
    }

    fn is(&self, found: &Difference) -> bool {
        self.is_of(&found.recipe) && self.what == found.what
    }
}

/// Compares what was found to differ in the sets that were tried with the table: what is not in it is wrong, and so is
/// a row for such a set that nothing found.
pub(crate) fn hold_against_table(tried: &[Recipe], found: &[Difference]) {
    let table: Vec<Row> =
        include_str!("../../dmraid-differences.md").lines().filter_map(Row::parse).collect();
    let unknown: Vec<&Difference> =
        found.iter().filter(|found| !table.iter().any(|row| row.is(found))).collect();
    let is_tried = |row: &&Row| tried.iter().any(|recipe| row.is_of(&recipe.to_string()));
    let is_idle = |row: &&Row| !row.sometimes && !found.iter().any(|found| row.is(found));
    let idle: Vec<&Row> = table.iter().filter(is_tried).filter(is_idle).collect();
    assert!(
        unknown.is_empty() && idle.is_empty(),
        "not in the table: {unknown:#?}; in it, but not so: {idle:#?}"
    );
}
