//! A picture as text: a grid of box-drawing characters.

use super::picture::{Cell, Column, Kind, Mark, Panel, Picture, Section, shorten};
use std::fmt::Write as _;

/// Widest column.
const MAX_COLUMN: usize = 18;
/// Narrowest column: every state fits.
const MIN_COLUMN: usize = 10;

pub(super) fn render(picture: &Picture, width: usize, colour: bool) -> String {
    let mut page = Page { text: String::new(), colour };
    page.line(&page.paint(&picture.name, "1"));
    page.line(&picture.facts);
    for panel in &picture.panels {
        page.panel(panel, width);
    }
    page.line("");
    for note in &picture.notes {
        page.line(note);
    }
    page.line(&key(picture));
    page.text
}

/// What the letters and marks mean, of those that are there.
fn key(picture: &Picture) -> String {
    let entries = [
        (picture.has_kind(|kind| matches!(kind, Kind::Data { .. })), "D data"),
        (picture.has_kind(|kind| matches!(kind, Kind::Copy { .. })), "' further copy"),
        (picture.has_kind(|kind| kind == Kind::P), "P parity"),
        (picture.has_kind(|kind| kind == Kind::Q), "Q second parity"),
        (picture.has_kind(|kind| kind == Kind::Unused), "- unused"),
        (picture.has_mark(Mark::Absent), "░ missing or failed"),
        (picture.has_mark(Mark::Doubtful), "~ stale or not rebuilt"),
    ];
    entries.iter().filter(|(used, _)| *used).map(|(_, text)| *text).collect::<Vec<_>>().join("   ")
}

struct Page {
    text: String,
    colour: bool,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.colour && !code.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A panel, in as many grids as the width asks for.
    fn panel(&mut self, panel: &Panel, width: usize) {
        if let Some(heading) = &panel.heading {
            self.line("");
            self.line(&self.paint(heading, "1"));
        }
        let rows = || panel.sections.iter().flat_map(|section| &section.rows);
        let left = rows().map(|row| row.label.len()).max().unwrap_or_default() + 2;
        let column = column_width(panel, width.saturating_sub(left + 1));
        let fitting = (width.saturating_sub(left + 1) / (column + 1)).max(1);
        for start in (0..panel.columns.len()).step_by(fitting) {
            let end = panel.columns.len().min(start + fitting);
            self.grid(panel, start..end, Widths { left, column });
        }
    }

    fn grid(&mut self, panel: &Panel, range: std::ops::Range<usize>, widths: Widths) {
        let columns = panel.columns.get(range.clone()).unwrap_or_default();
        self.line("");
        self.header(columns, widths, |column| (format!("slot {}", column.slot), ""));
        self.header(columns, widths, |column| (shorten(&column.device, widths.column), "1"));
        self.header(columns, widths, |column| (column.state.to_owned(), mark_colour(column.mark)));
        let rule = |ends: [&str; 3]| {
            let [first, middle, last] = ends;
            let bars = vec!["─".repeat(widths.column); columns.len()].join(middle);
            format!("{}{first}{bars}{last}", " ".repeat(widths.left))
        };
        for (number, section) in panel.sections.iter().enumerate() {
            self.line(&rule(if number == 0 { ["┌", "┬", "┐"] } else { ["├", "┼", "┤"] }));
            self.section(section, range.clone(), widths);
        }
        self.line(&rule(["└", "┴", "┘"]));
    }

    fn section(&mut self, section: &Section, range: std::ops::Range<usize>, widths: Widths) {
        let indent = " ".repeat(widths.left);
        if let Some(heading) = &section.heading {
            self.line(&format!("{indent}│ {heading}"));
        }
        for row in &section.rows {
            let mut line = format!("{:>left$} │", row.label, left = widths.left - 1);
            for cell in row.cells.get(range.clone()).unwrap_or_default() {
                line.push_str(&self.cell(cell, widths.column));
                line.push('│');
            }
            self.line(&line);
        }
        if let Some(more) = &section.more {
            self.line(&format!("{indent}│ ⋮ {more}"));
        }
    }

    fn header(
        &mut self,
        columns: &[Column],
        widths: Widths,
        text: impl Fn(&Column) -> (String, &'static str),
    ) {
        let mut line = " ".repeat(widths.left + 1);
        for column in columns {
            let (text, code) = text(column);
            let centred = centre(&clip(&text, widths.column), widths.column, ' ');
            let _ = write!(line, "{} ", self.paint(&centred, code));
        }
        self.line(&line);
    }

    fn cell(&self, cell: &Cell, width: usize) -> String {
        let copy = if matches!(cell.kind, Kind::Copy { .. }) { "'" } else { "" };
        let fill = match cell.mark {
            Mark::Sound => ' ',
            Mark::Doubtful => '~',
            Mark::Absent => '░',
        };
        let code = match (cell.mark, cell.kind) {
            (Mark::Sound, Kind::P) => "32",
            (Mark::Sound, Kind::Q) => "35",
            (Mark::Sound, Kind::Copy { .. } | Kind::Unused) => "2",
            (mark, _) => mark_colour(mark),
        };
        let text = format!(" {}{copy} ", cell.text);
        self.paint(&centre(&clip(&text, width), width, fill), code)
    }
}

#[derive(Clone, Copy)]
struct Widths {
    /// Of the row labels.
    left: usize,
    column: usize,
}

fn mark_colour(mark: Mark) -> &'static str {
    match mark {
        Mark::Sound => "",
        Mark::Doubtful => "33",
        Mark::Absent => "31",
    }
}

/// Wide enough for names, unless all columns fit into `width` only when they are narrower.
fn column_width(panel: &Panel, width: usize) -> usize {
    let rows = panel.sections.iter().flat_map(|section| &section.rows);
    let cells = rows.flat_map(|row| &row.cells).map(|cell| length(&cell.text) + 4).max().unwrap_or_default();
    let narrow = cells.max(MIN_COLUMN);
    let header = |column: &Column| length(&column.device).max(length(column.state)) + 2;
    let wide =
        panel.columns.iter().map(header).max().unwrap_or_default().clamp(narrow, MAX_COLUMN.max(narrow));
    let share = (width / panel.columns.len().max(1)).saturating_sub(1);
    if share < narrow { wide } else { wide.min(share) }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// The text, or as much of its beginning as there is room for.
fn clip(text: &str, width: usize) -> String {
    if length(text) <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept + "…"
}

fn centre(text: &str, width: usize, fill: char) -> String {
    let room = width.saturating_sub(length(text));
    let side = |count: usize| std::iter::repeat_n(fill, count).collect::<String>();
    format!("{}{text}{}", side(room / 2), side(room - room / 2))
}
