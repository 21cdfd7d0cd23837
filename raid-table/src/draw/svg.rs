//! A picture as SVG.

use super::picture::{Cell, Column, Kind, Mark, Panel, Picture, shorten};
use std::fmt::Write as _;

const MARGIN: usize = 24;
const LABEL_WIDTH: usize = 56;
const CELL_WIDTH: usize = 104;
const CELL_HEIGHT: usize = 28;
const HEADER_HEIGHT: usize = 62;
const LINE_HEIGHT: usize = 20;
/// What a character of the running text takes at most.
const CHARACTER_WIDTH: usize = 8;
/// Characters that fit into a column.
const NAME_LENGTH: usize = 14;

/// Fills of groups of data, light enough for dark text.
const GROUPS: [&str; 6] = ["#dbeafe", "#dcfce7", "#fef3c7", "#fce7f3", "#e0e7ff", "#ccfbf1"];

const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:13px;fill:#1e293b}\
.t{font-size:18px;font-weight:600}.h{font-weight:600}.n{fill:#475569;font-size:12px}\
.c{text-anchor:middle}.l{text-anchor:end;fill:#64748b;font-size:12px}.w{fill:#fff;font-weight:600}\
.i{font-style:italic;fill:#475569}.bad{fill:#b91c1c;font-weight:600}.old{fill:#b45309;font-weight:600}\
.ok{fill:#15803d}.s{font-size:11px}";

const PATTERNS: &str = "<defs>\
<pattern id=\"absent\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
<rect width=\"8\" height=\"8\" fill=\"#fee2e2\" fill-opacity=\".72\"/><rect width=\"2\" height=\"8\" fill=\"#ef4444\" fill-opacity=\".55\"/></pattern>\
<pattern id=\"doubtful\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(-45)\">\
<rect width=\"8\" height=\"8\" fill=\"#fef3c7\" fill-opacity=\".8\"/><rect width=\"2\" height=\"8\" fill=\"#f59e0b\" fill-opacity=\".7\"/></pattern>\
</defs>";

pub(super) fn render(picture: &Picture) -> String {
    let mut page = Page { body: String::new(), y: MARGIN, width: 0 };
    page.y += 14;
    page.text(MARGIN, "t", &picture.name);
    page.y += LINE_HEIGHT + 2;
    page.text(MARGIN, "n", &picture.facts);
    page.y += 14;
    for panel in &picture.panels {
        page.panel(panel);
    }
    page.y += LINE_HEIGHT;
    page.key(picture);
    for note in &picture.notes {
        page.text(MARGIN, "n", note);
        page.y += LINE_HEIGHT;
    }
    page.finish(&picture.name)
}

struct Page {
    body: String,
    /// Baseline of the next line.
    y: usize,
    width: usize,
}

impl Page {
    fn finish(self, name: &str) -> String {
        let (width, height) = (self.width + MARGIN, self.y + MARGIN - LINE_HEIGHT / 2);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n{PATTERNS}\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{}</svg>\n",
            escape(name),
            self.body,
        )
    }

    /// A line of text that begins at `x`.
    fn text(&mut self, x: usize, class: &str, text: &str) {
        let length = text.chars().count() * if class == "t" { CHARACTER_WIDTH + 3 } else { CHARACTER_WIDTH };
        self.width = self.width.max(x + length);
        let _ =
            writeln!(self.body, "<text x=\"{x}\" y=\"{}\" class=\"{class}\">{}</text>", self.y, escape(text));
    }

    /// Text around or before `x`, as the class says.
    fn placed(&mut self, x: usize, y: usize, class: &str, text: &str) {
        let _ = writeln!(self.body, "<text x=\"{x}\" y=\"{y}\" class=\"{class}\">{}</text>", escape(text));
    }

    fn panel(&mut self, panel: &Panel) {
        if let Some(heading) = &panel.heading {
            self.y += LINE_HEIGHT;
            self.text(MARGIN, "h", heading);
        }
        for (number, column) in panel.columns.iter().enumerate() {
            self.header(column, column_start(number));
        }
        self.width = self.width.max(column_start(panel.columns.len()));
        self.y += HEADER_HEIGHT;
        for section in &panel.sections {
            if let Some(heading) = &section.heading {
                self.y += 14;
                self.text(column_start(0), "n", heading);
                self.y += 8;
            }
            for row in &section.rows {
                self.placed(MARGIN + LABEL_WIDTH - 10, self.y + 18, "l", &row.label);
                for (number, cell) in row.cells.iter().enumerate() {
                    self.cell(cell, column_start(number));
                }
                self.y += CELL_HEIGHT;
            }
            if let Some(more) = &section.more {
                self.y += 16;
                self.text(column_start(0), "n", &format!("⋮ {more}"));
                self.y += 6;
            }
        }
    }

    fn header(&mut self, column: &Column, x: usize) {
        let centre = x + CELL_WIDTH / 2;
        self.placed(centre, self.y + 16, "c s", &format!("slot {}", column.slot));
        let name = shorten(&column.device, NAME_LENGTH);
        let _ = write!(self.body, "<g><title>{}</title>", escape(&column.device));
        self.placed(centre, self.y + 34, "c h", &name);
        self.body.push_str("</g>");
        let class = match column.mark {
            Mark::Sound => "c s ok",
            Mark::Doubtful => "c s old",
            Mark::Absent => "c s bad",
        };
        self.placed(centre, self.y + 51, class, column.state);
    }

    fn cell(&mut self, cell: &Cell, x: usize) {
        let (fill, class) = match cell.kind {
            Kind::Data { group } => (group_fill(group), "c"),
            Kind::Copy { group } => (group_fill(group), "c i"),
            Kind::P => ("#475569", "c w"),
            Kind::Q => ("#7c3aed", "c w"),
            Kind::Unused => ("#f8fafc", "c i"),
        };
        self.rect(x, fill, "#94a3b8", cell.kind);
        let class = match cell.mark {
            Mark::Sound => class,
            Mark::Doubtful => {
                self.rect(x, "url(#doubtful)", "#d97706", cell.kind);
                "c"
            }
            Mark::Absent => {
                self.rect(x, "url(#absent)", "#dc2626", cell.kind);
                "c bad"
            }
        };
        let (centre, baseline) = (x + CELL_WIDTH / 2, self.y + 18);
        let size = font_size(cell.text.chars().count());
        let text = escape(&cell.text);
        let _ = writeln!(
            self.body,
            "<text x=\"{centre}\" y=\"{baseline}\" class=\"{class}\"{size}>{text}</text>"
        );
    }

    fn rect(&mut self, x: usize, fill: &str, stroke: &str, kind: Kind) {
        let dashes = if matches!(kind, Kind::Copy { .. }) { " stroke-dasharray=\"4 3\"" } else { "" };
        let _ = writeln!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\" fill=\"{fill}\" stroke=\"{stroke}\"{dashes}/>",
            x + 2,
            self.y + 2,
            CELL_WIDTH - 4,
            CELL_HEIGHT - 4,
        );
    }

    /// A sample of each kind of cell that is there.
    fn key(&mut self, picture: &Picture) {
        let sample = |kind, mark, text: &str| (Cell { text: String::new(), kind, mark }, text.to_owned());
        let group = 0;
        let entries = [
            (
                picture.has_kind(|kind| matches!(kind, Kind::Data { .. })),
                sample(Kind::Data { group }, Mark::Sound, "data"),
            ),
            (
                picture.has_kind(|kind| matches!(kind, Kind::Copy { .. })),
                sample(Kind::Copy { group }, Mark::Sound, "copy"),
            ),
            (picture.has_kind(|kind| kind == Kind::P), sample(Kind::P, Mark::Sound, "parity")),
            (picture.has_kind(|kind| kind == Kind::Q), sample(Kind::Q, Mark::Sound, "second parity")),
            (picture.has_mark(Mark::Absent), sample(Kind::Unused, Mark::Absent, "missing or failed")),
            (picture.has_mark(Mark::Doubtful), sample(Kind::Unused, Mark::Doubtful, "stale or not rebuilt")),
        ];
        let mut x = MARGIN;
        let baseline = self.y;
        for (_, (cell, text)) in entries.into_iter().filter(|(used, _)| *used) {
            let _ = write!(self.body, "<g transform=\"translate({x} {}) scale(.32 .6)\">", baseline - 12);
            let y = std::mem::take(&mut self.y);
            self.cell(&cell, 0);
            self.y = y;
            self.body.push_str("</g>\n");
            self.text(x + CELL_WIDTH / 3 + 6, "n", &text);
            x += CELL_WIDTH / 3 + 22 + text.chars().count() * CHARACTER_WIDTH;
        }
        self.y = baseline + LINE_HEIGHT + 6;
    }
}

fn column_start(number: usize) -> usize {
    MARGIN + LABEL_WIDTH + number * CELL_WIDTH
}

/// Makes a text of that many characters fit its cell, where it is too long for the usual size.
fn font_size(length: usize) -> String {
    if length <= NAME_LENGTH {
        return String::new();
    }
    // A digit is about 0.64 of the size wide.
    let pixels = (CELL_WIDTH - 8) * 100 / (64 * length);
    format!(" style=\"font-size:{}px\"", pixels.max(5))
}

fn group_fill(group: u64) -> &'static str {
    let count = GROUPS.len() as u64;
    usize::try_from(group % count).ok().and_then(|index| GROUPS.get(index)).copied().unwrap_or("#fff")
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}
