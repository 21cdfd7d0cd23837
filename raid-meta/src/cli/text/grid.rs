//! A table with aligned columns.

use super::{Painter, Tone, clean};

/// One cell.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    tone: Tone,
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: clean(text.as_ref()).into_owned(), tone: Tone::Plain }
    }
}

impl Cell {
    /// A cell whose colour says something.
    pub(super) fn toned(text: impl AsRef<str>, tone: impl Into<Tone>) -> Self {
        Self { tone: tone.into(), ..Self::from(text) }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// Rows of cells under a row of headings. A column whose heading begins with `>` is aligned to the right, and one
/// that is empty in all rows is left out.
#[derive(Debug, Default)]
pub(super) struct Grid {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Grid {
    pub(super) fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, each after the indent.
    pub(super) fn render(&self, painter: Painter, indent: &str) -> String {
        let columns: Vec<Column> = (0..self.headings.len()).filter_map(|index| self.column(index)).collect();
        let headings: Vec<Cell> = self
            .headings
            .iter()
            .map(|heading| Cell::toned(heading.trim_start_matches('>'), Tone::Heading))
            .collect();
        let mut lines = String::new();
        for row in std::iter::once(&headings).chain(&self.rows) {
            let mut line = String::from(indent);
            for column in &columns {
                if let Some(cell) = row.get(column.index) {
                    column.append(cell, painter, &mut line);
                }
            }
            lines.push_str(line.trim_end());
            lines.push('\n');
        }
        lines
    }

    /// The shape of a column; none when it has nothing to show.
    fn column(&self, index: usize) -> Option<Column> {
        let heading = self.headings.get(index)?;
        let cells = || self.rows.iter().filter_map(|row| row.get(index));
        cells().any(|cell| !matches!(cell.text.as_str(), "" | "-")).then(|| {
            let name = heading.trim_start_matches('>');
            let widest = cells().map(Cell::width).max().unwrap_or_default();
            Column { index, width: widest.max(name.len()), right: name.len() < heading.len() }
        })
    }
}

struct Column {
    index: usize,
    width: usize,
    right: bool,
}

impl Column {
    fn append(&self, cell: &Cell, painter: Painter, line: &mut String) {
        let padding = " ".repeat(self.width.saturating_sub(cell.width()));
        let text = painter.paint(&cell.text, cell.tone);
        let parts = if self.right { [padding, text] } else { [text, padding] };
        for part in parts {
            line.push_str(&part);
        }
        line.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        let mut grid = Grid::new(&["NAME", "NONE", ">SIZE", "STATE"]);
        grid.row(["a".into(), "-".into(), "10".into(), Cell::toned("ok", Tone::Good)]);
        grid.row(["long name".into(), "".into(), "9".into(), "bad\n".into()]);
        let lines = "  NAME       SIZE  STATE\n  a            10  ok\n  long name     9  bad\\x0a\n";
        assert_eq!(grid.render(Painter::default(), "  "), lines);
        let colored = grid.render(Painter { color: true, verbose: false }, "");
        assert!(colored.contains("a            10  \x1b[32mok\x1b[0m\n"), "{colored:?}");
    }
}
