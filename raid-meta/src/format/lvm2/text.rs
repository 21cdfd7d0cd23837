//! The fields of a text: each value is one, and what stands between two values is one.
//!
//! The group is `vg` whatever its name, which is `vg.name`; the rest are LVM's own names, as in
//! `vg.logical_volumes.home.segment1.stripes[0]`.

use super::area::Text;
use super::config::{Content, Node, Span};
use super::label::time_meaning;
use crate::escape::escape;
use crate::format::schema::{Encoding, Endian, Repr, field_value};
use crate::model::Field;
use crate::units::Bytes;
use std::collections::HashMap;

/// Longest path that is written out; LVM's own have some hundred bytes.
const MAX_PATH: usize = 512;

/// A part of the text with a name.
struct Part {
    span: Span,
    name: String,
}

/// The fields of a text, in the order of the text. `prefix` is put before each name.
pub(super) fn fields(text: &Text, prefix: &str) -> Vec<Field> {
    let mut parts = Vec::new();
    if let Some(nodes) = text.nodes() {
        collect(&text.bytes, nodes, "", &mut parts);
    }
    let mut writer = Writer { text, prefix, fields: Vec::new(), names: HashMap::new(), gaps: 0 };
    let mut at = 0;
    for part in parts {
        writer.gap(at..part.span.start);
        at = part.span.end;
        writer.value(part);
    }
    writer.gap(at..text.bytes.len());
    writer.fields
}

fn collect(text: &[u8], nodes: &[Node], path: &str, parts: &mut Vec<Part>) {
    for node in nodes {
        let name = escape(text.get(node.name.clone()).unwrap_or_default());
        let mut inside = if path.is_empty() { String::new() } else { format!("{path}.{name}") };
        if inside.len() > MAX_PATH {
            inside = format!("at[{}]", node.name.start);
        }
        match &node.content {
            Content::Section(nodes) if path.is_empty() => {
                parts.push(Part { span: node.name.clone(), name: "vg.name".to_owned() });
                collect(text, nodes, "vg", parts);
            }
            Content::Section(nodes) => collect(text, nodes, &inside, parts),
            Content::Value(scalar) => {
                let name = if path.is_empty() { name } else { inside };
                parts.push(Part { span: scalar.span.clone(), name });
            }
            Content::List(list) => {
                let name = if path.is_empty() { name } else { inside };
                let scalars = list.iter().enumerate();
                parts.extend(scalars.map(|(number, scalar)| Part {
                    span: scalar.span.clone(),
                    name: format!("{name}[{number}]"),
                }));
            }
        }
    }
}

struct Writer<'a> {
    text: &'a Text,
    prefix: &'a str,
    fields: Vec<Field>,
    /// How often each name was used.
    names: HashMap<String, usize>,
    gaps: usize,
}

impl Writer<'_> {
    fn value(&mut self, part: Part) {
        let value = self.text.bytes.get(part.span.clone()).unwrap_or_default();
        let meaning = if part.name.ends_with("creation_time") { time_meaning(value) } else { None };
        self.push(part.span, part.name, meaning);
    }

    /// Names of values and sections, brackets, blanks: what is between the values.
    fn gap(&mut self, span: Span) {
        if !span.is_empty() {
            self.push(span, format!("syntax[{}]", self.gaps), None);
            self.gaps = self.gaps.saturating_add(1);
        }
    }

    /// A field, or two where the text goes on at the start of the ring.
    fn push(&mut self, span: Span, name: String, meaning: Option<String>) {
        let mut begin = 0_usize;
        for &(offset, length) in &self.text.pieces {
            let end = begin.saturating_add(length);
            let (from, to) = (span.start.clamp(begin, end), span.end.clamp(begin, end));
            if from < to {
                let name = self.unique(&name);
                let at = offset.saturating_add(Bytes(from.saturating_sub(begin) as u64));
                self.fields.push(Field {
                    structure: self.text.role.area_role().to_owned(),
                    name,
                    offset: at,
                    size: u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX),
                    encoding: Encoding::TEXT,
                    value: field_value(
                        self.text.bytes.get(from..to).unwrap_or_default(),
                        Repr::Text,
                        Endian::Little,
                    ),
                    meaning: meaning.clone(),
                });
            }
            begin = end;
        }
    }

    /// The same name twice does not happen in what LVM writes; in what others write it gets a number.
    fn unique(&mut self, name: &str) -> String {
        let name = format!("{}{name}", self.prefix);
        let used = self.names.entry(name.clone()).or_default();
        *used = used.saturating_add(1);
        if *used == 1 { name } else { format!("{name}~{used}") }
    }
}
